-- Webhooks: endpoints with their secrets, the events of every owner who has an endpoint, and each event's deliveries
-- with their attempts. An event and its deliveries are written by the very statement that changes a job's or an
-- output's status, so that there is exactly one event for each change that was committed and none for any other.

create table public.webhook_endpoints (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null references public.profiles (id) on delete cascade,
    url text not null check (char_length(url) between 1 and 2083),
    description text not null default '' check (char_length(description) <= 500),
    event_types text[] not null check (
        cardinality(event_types) > 0 and event_types <@ array[
            'job.started', 'job.completed', 'job.partial', 'job.failed', 'job.cancelled',
            'output.completed', 'output.failed', 'output.cancelled', 'retention.expiring', 'test.ping'
        ]
    ),
    status text not null default 'enabled' check (status in ('enabled', 'disabled')),
    disabled_reason text check (disabled_reason in ('owner', 'gone', 'failing')),
    disabled_notice text check (char_length(disabled_notice) <= 1000),
    disabled_at timestamptz,
    failing_since timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, owner_id),
    constraint webhook_endpoints_reason_with_disabling check (
        (status = 'disabled') = (disabled_reason is not null)
        and (status = 'disabled') = (disabled_notice is not null)
        and (status = 'disabled') = (disabled_at is not null)
    )
);
comment on column public.webhook_endpoints.failing_since is 'First failed attempt after the last success.';
create index webhook_endpoints_owner on public.webhook_endpoints (owner_id, created_at, id);

-- Apart from the endpoints, because their owners may read those, and nobody but the services may read these.
create table public.webhook_secrets (
    id bigint generated always as identity primary key,
    endpoint_id uuid not null references public.webhook_endpoints (id) on delete cascade,
    sealed text not null check (char_length(sealed) between 1 and 2000),
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column public.webhook_secrets.sealed is 'The secret, encrypted with a key that is not in the database.';
comment on column public.webhook_secrets.expires_at is 'Until when a replaced secret signs too; null for the current one.';
create unique index webhook_secrets_current on public.webhook_secrets (endpoint_id) where expires_at is null;
create index webhook_secrets_endpoint on public.webhook_secrets (endpoint_id, id);
create index webhook_secrets_expiry on public.webhook_secrets (expires_at) where expires_at is not null;

create table public.webhook_events (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null references public.profiles (id) on delete cascade,
    project_id uuid,
    type text not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
    data jsonb not null check (jsonb_typeof(data) = 'object'),
    occurred_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, owner_id),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade
);
comment on column public.webhook_events.project_id is 'A project''s events go with it; a test has none.';
create index webhook_events_owner on public.webhook_events (owner_id, occurred_at desc);
create index webhook_events_project on public.webhook_events (project_id, owner_id) where project_id is not null;
create index webhook_events_age on public.webhook_events (created_at);

create table public.webhook_deliveries (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    event_id uuid not null,
    endpoint_id uuid not null,
    replay_of uuid references public.webhook_deliveries (id) on delete set null,
    status text not null default 'waiting' check (status in ('waiting', 'delivering', 'delivered', 'failed')),
    claims integer not null default 0 check (claims >= 0),
    available_at timestamptz not null default now(),
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz,
    last_error text check (char_length(last_error) <= 1000),
    settled_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, owner_id),
    foreign key (event_id, owner_id) references public.webhook_events (id, owner_id) on delete cascade,
    foreign key (endpoint_id, owner_id) references public.webhook_endpoints (id, owner_id) on delete cascade,
    constraint webhook_deliveries_time_with_settling check (
        (status in ('delivered', 'failed')) = (settled_at is not null)
    ),
    constraint webhook_deliveries_nothing_after_settling check (settled_at is null or next_attempt_at is null)
);
comment on column public.webhook_deliveries.available_at is
    'When a waiting delivery may be claimed (again): end of the lease or of the back-off.';
create unique index webhook_deliveries_once on public.webhook_deliveries (event_id, endpoint_id)
    where replay_of is null;
create index webhook_deliveries_due on public.webhook_deliveries (available_at, created_at) where status = 'waiting';
create index webhook_deliveries_endpoint on public.webhook_deliveries (endpoint_id, created_at desc);
create index webhook_deliveries_event on public.webhook_deliveries (event_id, owner_id);
create index webhook_deliveries_replay on public.webhook_deliveries (replay_of) where replay_of is not null;

create table public.webhook_attempts (
    delivery_id uuid not null,
    owner_id uuid not null,
    number integer not null check (number >= 1),
    started_at timestamptz not null default clock_timestamp(),
    duration_ms integer check (duration_ms >= 0),
    status_code integer check (status_code between 100 and 999),
    response text check (char_length(response) <= 1024),
    error text check (char_length(error) <= 1000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (delivery_id, number),
    foreign key (delivery_id, owner_id) references public.webhook_deliveries (id, owner_id) on delete cascade
);

create trigger touch_updated_at before update on public.webhook_endpoints
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.webhook_secrets
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.webhook_events
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.webhook_deliveries
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.webhook_attempts
    for each row execute function cinema.touch_updated_at();

-- Definers' rights, because whoever may change a status must not need rights on the tables of webhooks.

create function cinema.emit_webhook_event(event_owner uuid, event_project uuid, event_type text, event_data jsonb)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
    event_id uuid;
begin
    -- An owner without endpoints has nobody to tell. One whose endpoint is disabled may want to catch up later.
    if not exists (select from public.webhook_endpoints where owner_id = event_owner) then
        return null;
    end if;
    insert into public.webhook_events (owner_id, project_id, type, data)
        values (event_owner, event_project, event_type, event_data) returning id into event_id;
    insert into public.webhook_deliveries (owner_id, event_id, endpoint_id)
        select event_owner, event_id, endpoint.id from public.webhook_endpoints endpoint
        where endpoint.owner_id = event_owner and endpoint.status = 'enabled'
            and event_type = any (endpoint.event_types);
    return event_id;
end
$$;

create function cinema.webhook_error(error jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
    select case when error is null then null else pg_catalog.jsonb_build_object(
        'code', error ->> 'code',
        'message', pg_catalog.left(error ->> 'message', 1000),
        'retryable', error -> 'retryable'
    ) end
$$;

create function cinema.announce_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    event_type text := case
        when new.status in ('completed', 'partial', 'failed', 'cancelled') then 'job.' || new.status
        else 'job.started'
    end;
    outputs jsonb;
    total integer;
    ready integer;
begin
    select coalesce(jsonb_agg(
            jsonb_build_object('output_id', id, 'variant', variant, 'status', status) order by position
        ), '[]'), count(*), count(*) filter (where status = 'completed')
    from public.job_outputs where job_id = new.id into outputs, total, ready;
    perform cinema.emit_webhook_event(new.owner_id, new.project_id, event_type, jsonb_build_object(
        'job_id', new.id,
        'project_id', new.project_id,
        'status', new.status,
        'message', case new.status
            when 'completed' then 'Every output of the job is ready.'
            when 'partial' then format('%s of the job''s %s outputs are ready.', ready, total)
                || case when ready = total then ' Some of the files could not be used.' else '' end
            when 'failed' then coalesce(left(new.error ->> 'message', 1000), 'No output of the job could be made.')
            when 'cancelled' then 'The job was cancelled.'
            else 'Work on the job has begun.'
        end,
        'error', cinema.webhook_error(new.error),
        'outputs', outputs
    ));
    return null;
end
$$;

create function cinema.announce_output() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.emit_webhook_event(
        new.owner_id,
        (select project_id from public.jobs where id = new.job_id),
        'output.' || new.status,
        jsonb_build_object(
            'output_id', new.id,
            'job_id', new.job_id,
            'project_id', (select project_id from public.jobs where id = new.job_id),
            'variant', new.variant,
            'status', new.status,
            'attempt', new.attempt,
            'message', case new.status
                when 'completed' then 'The output is ready.'
                when 'failed' then coalesce(left(new.error ->> 'message', 1000), 'The output could not be made.')
                else 'The output was cancelled.'
            end,
            'error', cinema.webhook_error(new.error)
        )
    );
    return null;
end
$$;

create function cinema.announce_notice() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.emit_webhook_event(new.owner_id, new.project_id, new.kind, jsonb_build_object(
        'notice_id', new.id,
        'project_id', new.project_id,
        'expires_at', new.expires_at,
        'message', 'Files of this project will be deleted, because the plan keeps them no longer.'
    ));
    return null;
end
$$;

create function cinema.notify_webhook_delivery() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('cinema_webhooks', '');
    return null;
end
$$;

revoke execute on function cinema.emit_webhook_event(uuid, uuid, text, jsonb), cinema.webhook_error(jsonb),
    cinema.announce_job(), cinema.announce_output(), cinema.announce_notice(), cinema.notify_webhook_delivery()
    from public;

create trigger announce_start after update on public.jobs
    for each row when (
        old.status = 'queued' and new.status not in ('queued', 'completed', 'partial', 'failed', 'cancelled')
    ) execute function cinema.announce_job();
create trigger announce_end after update on public.jobs
    for each row when (
        old.status is distinct from new.status and new.status in ('completed', 'partial', 'failed', 'cancelled')
    ) execute function cinema.announce_job();
create trigger announce_end after update on public.job_outputs
    for each row when (
        old.status is distinct from new.status and new.status in ('completed', 'failed', 'cancelled')
    ) execute function cinema.announce_output();
create trigger announce after insert on public.notices
    for each row when (new.kind = 'retention.expiring') execute function cinema.announce_notice();
create trigger notify_insert after insert on public.webhook_deliveries
    for each statement execute function cinema.notify_webhook_delivery();

revoke all on public.webhook_endpoints, public.webhook_secrets, public.webhook_events, public.webhook_deliveries,
    public.webhook_attempts from anon, authenticated;
revoke all on sequence public.webhook_secrets_id_seq from anon, authenticated;
grant all on public.webhook_endpoints, public.webhook_secrets, public.webhook_events, public.webhook_deliveries,
    public.webhook_attempts to service_role;
grant usage on sequence public.webhook_secrets_id_seq to service_role;
grant select on public.webhook_endpoints, public.webhook_events, public.webhook_deliveries, public.webhook_attempts
    to authenticated;

alter table public.webhook_endpoints enable row level security;
alter table public.webhook_secrets enable row level security;
alter table public.webhook_events enable row level security;
alter table public.webhook_deliveries enable row level security;
alter table public.webhook_attempts enable row level security;

create policy owner_reads on public.webhook_endpoints for select to authenticated
    using (owner_id = (select auth.uid()));
create policy owner_reads on public.webhook_events for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_reads on public.webhook_deliveries for select to authenticated
    using (owner_id = (select auth.uid()));
create policy owner_reads on public.webhook_attempts for select to authenticated
    using (owner_id = (select auth.uid()));
