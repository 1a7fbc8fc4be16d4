-- Project -> assets -> job -> outputs. owner_id is repeated in every table and tied to its parent's by the foreign
-- key, so that a policy needs one column and no row can hang under another owner's parent.
-- Profiles do not reference auth.users: identities belong to whoever issues the tokens.

create function cinema.touch_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create table public.plans (
    id text primary key check (id ~ '^[a-z][a-z0-9_]{0,31}$'),
    name text not null check (char_length(name) between 1 and 100),
    priority smallint not null default 3 check (priority between 1 and 5),
    fairness_weight double precision not null default 1 check (fairness_weight > 0 and fairness_weight <= 1000),
    retention_days integer check (retention_days > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column public.plans.priority is 'Temporal priority key: 1 is served first, 5 last.';
comment on column public.plans.retention_days is 'How long assets and outputs are kept; null keeps them for good.';

insert into public.plans (id, name) values ('free', 'Free');

create table public.profiles (
    id uuid primary key,
    plan_id text not null default 'free' references public.plans (id),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.profiles is 'One row per creator; id is the subject of the tokens that creator signs in with.';
create index profiles_plan on public.profiles (plan_id);

create table public.projects (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null references public.profiles (id),
    name text not null check (char_length(name) between 1 and 500),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, owner_id)
);
create index projects_owner on public.projects (owner_id, created_at desc);

create table public.assets (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    project_id uuid not null,
    name text not null check (char_length(name) between 1 and 500),
    kind text not null check (kind in ('a_roll', 'b_roll', 'screen', 'audio')),
    status text not null default 'ready' check (status in ('ready', 'refused')),
    object_key text not null check (char_length(object_key) between 1 and 1024),
    size_bytes bigint not null check (size_bytes >= 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    position integer not null check (position >= 0),
    error jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (project_id, owner_id) references public.projects (id, owner_id),
    constraint assets_error_with_refusal check ((status = 'refused') = (error is not null))
);
create index assets_project on public.assets (project_id, position, created_at, id);
create index assets_owner on public.assets (owner_id);

create table public.jobs (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    project_id uuid not null,
    status text not null default 'queued' check (
        status in ('queued', 'analysing', 'planning', 'rendering', 'completed', 'partial', 'failed', 'cancelled')
    ),
    request jsonb not null check (jsonb_typeof(request) = 'object'),
    artifacts_computed integer not null default 0 check (artifacts_computed >= 0),
    artifacts_reused integer not null default 0 check (artifacts_reused >= 0),
    error jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, owner_id),
    foreign key (project_id, owner_id) references public.projects (id, owner_id),
    constraint jobs_completed_without_error check (status <> 'completed' or error is null)
);
create index jobs_project on public.jobs (project_id, created_at desc);
create index jobs_owner on public.jobs (owner_id, created_at desc);

create table public.job_outputs (
    id uuid primary key default gen_random_uuid(),
    job_id uuid not null,
    owner_id uuid not null,
    variant text not null check (variant ~ '^[a-z][a-z0-9_]{0,63}$'),
    position smallint not null check (position >= 0),
    status text not null default 'queued' check (
        status in ('queued', 'planned', 'rendering', 'completed', 'failed', 'cancelled')
    ),
    attempt integer not null default 0 check (attempt >= 0),
    progress double precision not null default 0 check (progress between 0 and 1),
    stage text not null default 'queued' check (char_length(stage) <= 200),
    error jsonb,
    files jsonb,
    edl_key text check (char_length(edl_key) between 1 and 1024),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (job_id, variant),
    foreign key (job_id, owner_id) references public.jobs (id, owner_id) on delete cascade,
    constraint job_outputs_files_with_completion check ((status = 'completed') = (files is not null)),
    constraint job_outputs_error_with_failure check ((status = 'failed') = (error is not null)),
    constraint job_outputs_edl_with_plan check (
        status not in ('planned', 'rendering', 'completed') or edl_key is not null
    ),
    constraint job_outputs_attempt_with_render check (status not in ('rendering', 'completed') or attempt > 0),
    constraint job_outputs_whole_when_completed check (status <> 'completed' or progress = 1)
);
create index job_outputs_job on public.job_outputs (job_id, position);
create index job_outputs_owner on public.job_outputs (owner_id);

create table public.analyses (
    key text primary key check (key ~ '^[0-9a-f]{64}$'),
    analyzer text not null check (char_length(analyzer) between 1 and 100),
    analyzer_version text not null check (char_length(analyzer_version) between 1 and 100),
    asset_sha256 text not null check (asset_sha256 ~ '^[0-9a-f]{64}$'),
    object_key text not null check (char_length(object_key) between 1 and 1024),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.analyses is 'Analyses by content: shared by every asset with the same bytes, so owned by nobody.';
create index analyses_asset on public.analyses (asset_sha256);

create table public.outbox (
    id bigint generated always as identity primary key,
    job_id uuid not null unique references public.jobs (id) on delete cascade,
    attempts integer not null default 0 check (attempts >= 0),
    available_at timestamptz not null default now(),
    done_at timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column public.outbox.available_at is 'When the entry may be claimed (again): end of the lease or of the back-off.';
create index outbox_due on public.outbox (available_at, id) where done_at is null;

create trigger touch_updated_at before update on public.plans
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.profiles
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.projects
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.assets
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.jobs
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.job_outputs
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.analyses
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.outbox
    for each row execute function cinema.touch_updated_at();
