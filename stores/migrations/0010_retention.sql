-- Retention by plan, notices before anything goes, and the deletion of whole projects.
--
-- What is stored goes in three steps, so that no row that is live ever names an object that is missing:
--   1. expires_at: its owner has been told that it goes then;
--   2. expiring_since: nobody may begin to use it any more; there is no way back;
--   3. expired_at: its objects are gone; size and checksum stay, for the creator's history.
-- An analysis has one step, usable = false, and then its row goes too: it is nobody's history.

create function cinema.job_settled(status text) returns boolean
language sql immutable
as $$ select status in ('completed', 'partial', 'failed', 'cancelled') $$;

create function cinema.content_lock(sha256 text) returns bigint
language sql immutable set search_path = ''
as $$ select pg_catalog.hashtextextended('content ' || sha256, 0) $$;
comment on function cinema.content_lock is 'Key of the advisory lock on stored content: shared to use it, alone to remove.';

-- Every object a row of job_outputs names, as bucket/key.
create function cinema.output_objects(files jsonb, edl_key text) returns text[]
language sql immutable set search_path = ''
as $$
    select array_remove(array[
        'outputs/' || (files ->> 'video_key'), 'outputs/' || (files ->> 'edl_key'), 'outputs/' || (files ->> 'otio_key'),
        'outputs/' || (files ->> 'srt_key'), 'outputs/' || (files ->> 'vtt_key'), 'thumbs/' || (files ->> 'thumbnail_key'),
        'outputs/' || edl_key
    ], null)
$$;

alter table public.plans add column retention_shortened_at timestamptz;
comment on column public.plans.retention_shortened_at is 'A grace period counts from here before anything goes.';
alter table public.profiles add column retention_shortened_at timestamptz;
comment on column public.profiles.retention_shortened_at is 'The same, for a creator who moved to a plan that keeps for less.';

create function cinema.note_shorter_retention() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if new.retention_days < coalesce(old.retention_days, 2147483647) then
        new.retention_shortened_at := now();
    end if;
    return new;
end
$$;
create trigger note_shorter_retention before update of retention_days on public.plans
    for each row execute function cinema.note_shorter_retention();

create function cinema.note_shorter_plan() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if (select retention_days from public.plans where id = new.plan_id)
        < coalesce((select retention_days from public.plans where id = old.plan_id), 2147483647)
    then
        new.retention_shortened_at := now();
    end if;
    return new;
end
$$;
create trigger note_shorter_plan before update of plan_id on public.profiles
    for each row execute function cinema.note_shorter_plan();

alter table public.projects add column deleting_since timestamptz;
comment on column public.projects.deleting_since is 'Being deleted: takes no job and no asset any more.';

alter table public.assets
    add column expires_at timestamptz,
    add column expiring_since timestamptz,
    add column expired_at timestamptz,
    add constraint assets_expiry_in_steps check (expired_at is null or expiring_since is not null);
alter table public.job_outputs
    add column settled_at timestamptz,
    add column expires_at timestamptz,
    add column expiring_since timestamptz,
    add column expired_at timestamptz,
    add constraint job_outputs_expiry_in_steps check (expired_at is null or expiring_since is not null);
comment on column public.job_outputs.settled_at is 'When it was last completed, given up or called off; retention counts from here.';
alter table public.analyses add column usable boolean not null default true;
comment on column public.analyses.usable is 'False while its object is written for the first time, or removed.';

update public.job_outputs set settled_at = updated_at where status in ('completed', 'failed', 'cancelled');

create function cinema.note_settlement() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.settled_at := case when new.status in ('completed', 'failed', 'cancelled') then now() end;
    return new;
end
$$;
create trigger note_settlement before update on public.job_outputs
    for each row when (old.status is distinct from new.status) execute function cinema.note_settlement();

-- The last word on what may go, whoever writes.

create function cinema.guard_project_open() returns trigger
language plpgsql set search_path = ''
as $$
begin
    -- The lock makes this wait for a deletion or an expiry of the same project that is being decided at this moment.
    perform from public.projects where id = new.project_id for share;
    if exists (select from public.projects where id = new.project_id and deleting_since is not null) then
        raise exception 'This project is being deleted.' using errcode = 'CN001';
    end if;
    return new;
end
$$;

create function cinema.guard_asset_expiry() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if old.expiring_since is not null and (
        new.expiring_since is distinct from old.expiring_since
        or old.expired_at is not null and new.expired_at is distinct from old.expired_at
    ) then
        raise exception 'What has expired does not come back.' using errcode = 'CN001';
    end if;
    if old.expiring_since is null and new.expiring_since is not null then
        perform from public.projects where id = new.project_id for update;
        if exists (
            select from public.jobs where project_id = new.project_id and not cinema.job_settled(status)
        ) then
            raise exception 'This asset is in use by a job.' using errcode = 'CN001';
        end if;
    end if;
    return new;
end
$$;
create trigger guard_expiry before update on public.assets
    for each row execute function cinema.guard_asset_expiry();

create function cinema.guard_output_expiry() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if old.expiring_since is not null and (
        new.expiring_since is distinct from old.expiring_since
        or old.expired_at is not null and new.expired_at is distinct from old.expired_at
    ) then
        raise exception 'What has expired does not come back.' using errcode = 'CN001';
    end if;
    if old.expiring_since is not null and new.status is distinct from old.status then
        raise exception 'This output has expired; it can only be made by a new job.' using errcode = 'CN001';
    end if;
    if old.expiring_since is null and new.expiring_since is not null then
        perform from public.jobs where id = new.job_id for update;
        if not (select cinema.job_settled(status) from public.jobs where id = new.job_id) then
            raise exception 'This output is in use by its job.' using errcode = 'CN001';
        end if;
    end if;
    return new;
end
$$;
create trigger guard_expiry before update on public.job_outputs
    for each row execute function cinema.guard_output_expiry();

create function cinema.lock_content() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_advisory_xact_lock_shared(cinema.content_lock(new.sha256));
    return new;
end
$$;

create trigger guard_open before insert on public.assets
    for each row execute function cinema.guard_project_open();
create trigger lock_content before insert on public.assets
    for each row execute function cinema.lock_content();
create trigger guard_open before insert on public.jobs
    for each row execute function cinema.guard_project_open();
create trigger guard_reopening before update on public.jobs
    for each row when (old.status is distinct from new.status and new.status = 'queued')
    execute function cinema.guard_project_open();

-- Due dates, defined once: for what is announced, what goes, and what operators are shown.
-- `busy` says that a job that has not settled may use it; nothing is due before `since` and its plan's days.

create function cinema.asset_expiry(grace interval) returns table (
    id uuid, owner_id uuid, project_id uuid, name text, size_bytes bigint, since timestamptz,
    expires_at timestamptz, due_at timestamptz, busy boolean
)
language sql stable
as $$
    select a.id, a.owner_id, a.project_id, a.name, a.size_bytes, a.created_at, a.expires_at,
        greatest(
            greatest(a.created_at, use.latest) + make_interval(days => plan.retention_days),
            greatest(plan.retention_shortened_at, profile.retention_shortened_at) + grace
        ),
        coalesce(use.busy, false)
    from public.assets a
    join public.projects project on project.id = a.project_id and project.deleting_since is null
    join public.profiles profile on profile.id = a.owner_id
    join public.plans plan on plan.id = profile.plan_id and plan.retention_days is not null
    left join lateral (
        select max(j.updated_at) as latest, bool_or(not cinema.job_settled(j.status)) as busy
        from public.jobs j where j.project_id = a.project_id
    ) use on true
    where a.expiring_since is null
$$;

create function cinema.output_expiry(grace interval) returns table (
    id uuid, owner_id uuid, project_id uuid, job_id uuid, variant text, size_bytes bigint, completed boolean,
    since timestamptz, expires_at timestamptz, due_at timestamptz, busy boolean
)
language sql stable
as $$
    select o.id, o.owner_id, j.project_id, o.job_id, o.variant, coalesce((o.files ->> 'video_bytes')::bigint, 0),
        o.files is not null, o.settled_at, o.expires_at,
        greatest(
            o.settled_at + make_interval(days => plan.retention_days),
            greatest(plan.retention_shortened_at, profile.retention_shortened_at) + grace
        ),
        not cinema.job_settled(j.status)
    from public.job_outputs o
    join public.jobs j on j.id = o.job_id
    join public.projects project on project.id = j.project_id and project.deleting_since is null
    join public.profiles profile on profile.id = o.owner_id
    join public.plans plan on plan.id = profile.plan_id and plan.retention_days is not null
    where o.expiring_since is null and o.settled_at is not null
$$;

create index assets_content on public.assets (sha256) where expiring_since is null;
create index assets_object on public.assets (object_key);
create index assets_live on public.assets (created_at) where expiring_since is null;
create index assets_announced on public.assets (expires_at) where expiring_since is null and expires_at is not null;
create index assets_expiring on public.assets (id) where expiring_since is not null and expired_at is null;
create index job_outputs_live on public.job_outputs (settled_at) where expiring_since is null;
create index job_outputs_announced on public.job_outputs (expires_at)
    where expiring_since is null and expires_at is not null;
create index job_outputs_expiring on public.job_outputs (id) where expiring_since is not null and expired_at is null;
create index job_outputs_objects on public.job_outputs using gin (cinema.output_objects(files, edl_key))
    where expiring_since is null;
create index analyses_object on public.analyses (object_key);
create index analyses_unusable on public.analyses (key) where not usable;
create index jobs_unsettled on public.jobs (project_id, id) where not cinema.job_settled(status);

create table public.notices (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    project_id uuid not null,
    kind text not null check (kind in ('retention.expiring')),
    body jsonb not null check (jsonb_typeof(body) = 'object'),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade
);
comment on table public.notices is 'What a creator is told before it happens.';
comment on column public.notices.expires_at is 'When the first of what it names goes.';
create index notices_owner on public.notices (owner_id, created_at desc);
create index notices_project on public.notices (project_id);
create trigger touch_updated_at before update on public.notices
    for each row execute function cinema.touch_updated_at();

-- What was deleted, and the proof. It outlives the project, so it names it without referring to it, and says nothing
-- of what was in it.
create table public.deletions (
    id uuid primary key default gen_random_uuid(),
    project_id uuid not null unique,
    owner_id uuid not null references public.profiles (id),
    requested_by text not null check (char_length(requested_by) between 1 and 200),
    inventory jsonb check (jsonb_typeof(inventory) = 'object'),
    rows_removed jsonb check (jsonb_typeof(rows_removed) = 'object'),
    verification jsonb check (jsonb_typeof(verification) = 'object'),
    finished_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint deletions_finished_with_proof check (
        finished_at is null or inventory is not null and rows_removed is not null and verification is not null
    )
);
comment on table public.deletions is 'One row per deleted project: who, when, how much, and what looking again has shown.';
create index deletions_owner on public.deletions (owner_id, created_at desc);
create trigger touch_updated_at before update on public.deletions
    for each row execute function cinema.touch_updated_at();

create function cinema.guard_deletion_record() returns trigger
language plpgsql set search_path = ''
as $$
begin
    raise exception 'A finished deletion record is not changed.' using errcode = 'CN001';
end
$$;
create trigger guard_record before update or delete on public.deletions
    for each row when (old.finished_at is not null) execute function cinema.guard_deletion_record();

revoke all on public.notices, public.deletions from anon, authenticated, service_role;
grant all on public.notices to service_role;
grant select, insert, update on public.deletions to service_role;
grant select on public.notices, public.deletions to authenticated;
alter table public.notices enable row level security;
alter table public.deletions enable row level security;
create policy owner_reads on public.notices for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_reads on public.deletions for select to authenticated using (owner_id = (select auth.uid()));
