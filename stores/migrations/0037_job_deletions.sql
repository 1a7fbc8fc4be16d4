-- The deletion of single jobs. Its record outlives the job, so it names it without referring to it, and says nothing of
-- what was in it but what it had cost.

create table public.job_deletions (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null unique,
    project_id uuid not null,
    owner_id uuid not null references public.profiles (id),
    requested_by text not null check (char_length(requested_by) between 1 and 200),
    bill jsonb not null check (jsonb_typeof(bill) = 'object'),
    inventory jsonb check (jsonb_typeof(inventory) = 'object'),
    rows_removed jsonb check (jsonb_typeof(rows_removed) = 'object'),
    verification jsonb check (jsonb_typeof(verification) = 'object'),
    finished_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint job_deletions_finished_with_proof check (
        finished_at is null or inventory is not null and rows_removed is not null and verification is not null
    )
);
comment on table public.job_deletions is 'One row per deleted job: who, when, how much, and what looking again has shown.';
comment on column public.job_deletions.bill is 'What the job had cost, by who carries it: its ledger goes with it.';
create index job_deletions_owner on public.job_deletions (owner_id, created_at desc);
create trigger touch_updated_at before update on public.job_deletions
    for each row execute function cinema.touch_updated_at();
create trigger guard_record before update or delete on public.job_deletions
    for each row when (old.finished_at is not null) execute function cinema.guard_deletion_record();

revoke all on public.job_deletions from anon, authenticated, service_role;
grant select, insert, update on public.job_deletions to service_role;
grant select on public.job_deletions to authenticated;
alter table public.job_deletions enable row level security;
create policy owner_reads on public.job_deletions for select to authenticated using (owner_id = (select auth.uid()));

create index webhook_events_job on public.webhook_events ((data ->> 'job_id')) where data ? 'job_id';

-- Totals say what the tables below them say: what a job was worth is taken away before its rows go.
create function cinema.forget_job_in_totals(of_job uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.lock_totals((select project_id from public.jobs where id = of_job));
    perform cinema.add_job_day(worth, -1) from public.jobs job, cinema.job_worth(job) worth where job.id = of_job;
    perform cinema.add_output_day(worth, -1)
    from public.job_outputs output, cinema.output_worth(output) worth where output.job_id = of_job;
    perform cinema.add_job_day((
        entry.owner_id, job.project_id, (entry.ended_at at time zone 'UTC')::date, 0, 0, 0, 0,
        cinema.charged_ms(entry), now(), now()
    )::public.job_days, -1)
    from public.ledger entry join public.jobs job on job.id = entry.job_id
    where job.id = of_job and entry.charged and entry.kind = 'analysis';
    perform cinema.add_output_day((
        entry.owner_id, job.project_id, (entry.ended_at at time zone 'UTC')::date, entry.subject, 0, 0, 0,
        cinema.charged_ms(entry), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, now(), now()
    )::public.output_days, -1)
    from public.ledger entry join public.jobs job on job.id = entry.job_id
    where job.id = of_job and entry.charged and entry.kind = 'render';
end
$$;
revoke execute on function cinema.forget_job_in_totals(uuid) from public;
grant execute on function cinema.forget_job_in_totals(uuid) to service_role;
