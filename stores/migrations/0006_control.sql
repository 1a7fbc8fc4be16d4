-- A job may be paused, may wait for its plans to be approved, and may have its failed outputs made again. A pause and a
-- wait for approval are working stages like the others; what is being made says its own status.

alter table public.jobs drop constraint jobs_status_check;
alter table public.jobs add constraint jobs_status_check check (
    status in (
        'queued', 'analysing', 'planning', 'awaiting_approval', 'rendering', 'paused',
        'completed', 'partial', 'failed', 'cancelled'
    )
);

create or replace function cinema.guard_job_status() returns trigger
language plpgsql set search_path = ''
as $$
begin
    -- Between the working stages every step is possible: a workflow started anew walks them from the beginning.
    if not (
        old.status in ('queued', 'analysing', 'planning', 'awaiting_approval', 'rendering', 'paused')
            and new.status <> 'queued'
        or old.status in ('partial', 'failed', 'cancelled') and new.status = 'queued'
    ) then
        raise exception 'This job is % and cannot become %.', old.status, new.status using errcode = 'CN001';
    end if;
    return new;
end
$$;

alter table public.job_outputs add column approved_at timestamptz;
comment on column public.job_outputs.approved_at is 'When somebody, or the job''s policy, approved the plan; holds for retries.';

create table public.job_retries (
    job_id uuid not null,
    owner_id uuid not null,
    retry_id text not null check (char_length(retry_id) between 1 and 1000),
    output_ids uuid[] not null check (cardinality(output_ids) > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (job_id, retry_id),
    foreign key (job_id, owner_id) references public.jobs (id, owner_id) on delete cascade
);
comment on table public.job_retries is
    'Each order to make outputs again, by the id its sender gave it: the same order sent twice is carried out once.';
create index job_retries_owner on public.job_retries (owner_id);

create trigger touch_updated_at before update on public.job_retries
    for each row execute function cinema.touch_updated_at();

revoke all on public.job_retries from anon, authenticated;
grant all on public.job_retries to service_role;
grant select on public.job_retries to authenticated;
alter table public.job_retries enable row level security;
create policy owner_reads on public.job_retries for select to authenticated using (owner_id = (select auth.uid()));
