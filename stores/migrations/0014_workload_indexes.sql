-- What is open is counted at every scrape of the metrics: these keep that independent of how much has ever been done.

create index jobs_open_status on public.jobs (status) where status not in ('completed', 'partial', 'failed', 'cancelled');

-- On the id, not on updated_at: a progress report must not have an index to rewrite.
create index job_outputs_rendering on public.job_outputs (id) where status = 'rendering';
