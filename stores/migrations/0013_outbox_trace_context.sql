-- The trace that a job belongs to, so that the dispatcher goes on with it. W3C Trace Context, "traceparent" version 00.

alter table public.outbox add column traceparent text
    check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
comment on column public.outbox.traceparent is 'W3C trace context of whoever made the job; null where nothing traced it.';
