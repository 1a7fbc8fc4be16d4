-- Times are said as everywhere else, in UTC, whatever zone the server thinks in.

alter function cinema.job_as_seen_by(text, uuid) set timezone = 'UTC';
