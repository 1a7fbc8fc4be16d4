-- What every attempt at a piece of work used, and who pays: a creator for what succeeded, we for everything else.
-- A row is written when its attempt begins and kept up to date while it runs, so that a killed worker's attempt is there
-- too. asset_id has no foreign key: the account outlives the footage.

create table public.ledger (
    id bigint generated always as identity primary key,
    owner_id uuid not null,
    job_id uuid not null,
    kind text not null check (kind in ('analysis', 'render')),
    subject text not null check (subject ~ '^[a-z][a-z0-9_]{0,63}$'),
    output_id uuid references public.job_outputs (id) on delete cascade,
    asset_id uuid,
    attempt integer not null check (attempt > 0),
    outcome text not null default 'running' check (
        outcome in ('running', 'succeeded', 'reused', 'failed', 'cancelled', 'lost')
    ),
    charged boolean not null generated always as (outcome = 'succeeded') stored,
    media_us bigint check (media_us > 0),
    wall_s double precision not null default 0 check (wall_s >= 0),
    cpu_s double precision not null default 0 check (cpu_s >= 0),
    gpu_s double precision not null default 0 check (gpu_s >= 0),
    bytes_read bigint not null default 0 check (bytes_read >= 0),
    bytes_written bigint not null default 0 check (bytes_written >= 0),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (job_id, owner_id) references public.jobs (id, owner_id) on delete cascade,
    constraint ledger_of_an_output_or_an_asset check (
        (kind = 'render') = (output_id is not null) and (kind = 'analysis') = (asset_id is not null)
    ),
    constraint ledger_end_with_outcome check ((outcome = 'running') = (ended_at is null))
);
comment on table public.ledger is 'One row for each attempt that took a worker''s time.';
comment on column public.ledger.subject is 'The analyzer, or the variant that was rendered.';
comment on column public.ledger.charged is 'To the creator; what is not charged is ours.';
comment on column public.ledger.media_us is 'Microseconds of source analysed or of video rendered.';
comment on column public.ledger.cpu_s is 'User and system time of the child process and all its children.';
comment on column public.ledger.bytes_read is 'Through system calls, whether or not they reached a disk.';

create unique index ledger_render_attempt on public.ledger (output_id, subject, attempt) where kind = 'render';
create unique index ledger_analysis_attempt on public.ledger (job_id, asset_id, subject, attempt)
    where kind = 'analysis';
create index ledger_job on public.ledger (job_id, id);
create index ledger_owner on public.ledger (owner_id);
create index ledger_speeds on public.ledger (kind, subject, id desc) where outcome = 'succeeded';

create trigger touch_updated_at before update on public.ledger
    for each row execute function cinema.touch_updated_at();

-- Seen by a creator, the view is over what row-level security leaves them: what they are charged for.
create view public.job_costs with (security_invoker = true) as
select jobs.owner_id, jobs.project_id, ledger.job_id, ledger.charged,
       count(*)::integer as attempts,
       sum(wall_s) as wall_s, sum(cpu_s) as cpu_s, sum(gpu_s) as gpu_s,
       sum(bytes_read)::bigint as bytes_read, sum(bytes_written)::bigint as bytes_written
from public.ledger join public.jobs on jobs.id = ledger.job_id
group by jobs.owner_id, jobs.project_id, ledger.job_id, ledger.charged;

revoke all on public.ledger, public.job_costs from anon, authenticated;
revoke all on sequence public.ledger_id_seq from anon, authenticated;
grant all on public.ledger to service_role;
grant select on public.job_costs to service_role, authenticated;
grant usage on sequence public.ledger_id_seq to service_role;
grant select on public.ledger to authenticated;

alter table public.ledger enable row level security;
create policy owner_reads_charges on public.ledger for select to authenticated
    using (owner_id = (select auth.uid()) and charged);
