-- A request that is sent again because its answer was lost makes no second job, however late it comes.

alter table public.jobs add column idempotency_key text check (char_length(idempotency_key) between 1 and 255);
comment on column public.jobs.idempotency_key is 'Its sender''s name for the request that made it: one job per creator and key, for good.';
create unique index jobs_idempotency on public.jobs (owner_id, idempotency_key) where idempotency_key is not null;

-- Lists by status, newest first.
create index jobs_owner_status on public.jobs (owner_id, status, created_at desc, id desc);
