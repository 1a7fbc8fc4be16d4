-- A creator sees their own rows and no others. Jobs, outputs and assets are written by the services alone, because a
-- status, an object key or a quota that a browser could write would be worth nothing. (select auth.uid()) is evaluated
-- once per statement instead of once per row.

revoke all on public.plans, public.profiles, public.projects, public.assets, public.jobs, public.job_outputs,
    public.analyses, public.outbox from anon, authenticated;
revoke all on sequence public.outbox_id_seq from anon, authenticated;
grant all on public.plans, public.profiles, public.projects, public.assets, public.jobs, public.job_outputs,
    public.analyses, public.outbox to service_role;
grant usage on sequence public.outbox_id_seq to service_role;

grant select on public.plans, public.profiles, public.projects, public.assets, public.jobs, public.job_outputs
    to authenticated;
grant insert (owner_id, name), update (name) on public.projects to authenticated;

alter table public.plans enable row level security;
alter table public.profiles enable row level security;
alter table public.projects enable row level security;
alter table public.assets enable row level security;
alter table public.jobs enable row level security;
alter table public.job_outputs enable row level security;
alter table public.analyses enable row level security;
alter table public.outbox enable row level security;

create policy everyone_reads on public.plans for select to authenticated using (true);
create policy owner_reads on public.profiles for select to authenticated using (id = (select auth.uid()));
create policy owner_reads on public.projects for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_creates on public.projects for insert to authenticated
    with check (owner_id = (select auth.uid()));
create policy owner_renames on public.projects for update to authenticated
    using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
create policy owner_reads on public.assets for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_reads on public.jobs for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_reads on public.job_outputs for select to authenticated using (owner_id = (select auth.uid()));
