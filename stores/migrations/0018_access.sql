-- Access: tokens of creators' programs, and the log of who did what.

create table public.service_tokens (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null references public.profiles (id) on delete cascade,
    name text not null check (char_length(name) between 1 and 200),
    scopes text[] not null check (
        cardinality(scopes) > 0 and scopes <@ array[
            'projects:read', 'projects:write', 'jobs:read', 'jobs:write', 'webhooks:read', 'webhooks:write'
        ]
    ),
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on column public.service_tokens.secret_sha256 is
    'Of 256 random bits, so that no slow hash is needed; no role but the services'' may read it.';
comment on column public.service_tokens.last_used_at is 'To the minute.';
create index service_tokens_owner on public.service_tokens (owner_id, created_at desc, id desc);
create index service_tokens_ended on public.service_tokens (least(expires_at, revoked_at))
    where expires_at is not null or revoked_at is not null;

-- Each use is no change of the token.
create trigger touch_updated_at before update on public.service_tokens
    for each row when (old.last_used_at is not distinct from new.last_used_at)
    execute function cinema.touch_updated_at();

revoke all on public.service_tokens from anon, authenticated;
grant all on public.service_tokens to service_role;
grant select (id, owner_id, name, scopes, expires_at, revoked_at, last_used_at, created_at, updated_at)
    on public.service_tokens to authenticated;
alter table public.service_tokens enable row level security;
create policy owner_reads on public.service_tokens for select to authenticated
    using (owner_id = (select auth.uid()));

-- The log outlives what it speaks of, its owner's profile included, so it has no foreign keys.
create table public.audit_log (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    token_id uuid,
    action text not null check (action ~ '^[a-z_]{1,64}\.[a-z0-9_]{1,64}$'),
    resource text not null check (char_length(resource) between 1 and 300),
    outcome text not null check (outcome in ('succeeded', 'refused', 'failed')),
    status integer not null check (status between 100 and 599),
    request_id text not null check (char_length(request_id) between 1 and 128),
    address inet,
    created_at timestamptz not null default clock_timestamp()
);
comment on table public.audit_log is 'One row for each request of a signed-in caller that would change something.';
comment on column public.audit_log.token_id is 'The service token it came with; null for a signed-in person.';
comment on column public.audit_log.resource is 'The path that was asked for, without its query.';
create index audit_log_owner on public.audit_log (owner_id, created_at desc, id desc);
create index audit_log_age on public.audit_log (created_at);

revoke all on public.audit_log from anon, authenticated, service_role;
grant select, insert on public.audit_log to service_role;
grant select on public.audit_log to authenticated;
alter table public.audit_log enable row level security;
create policy owner_reads on public.audit_log for select to authenticated using (owner_id = (select auth.uid()));

-- Grants do not bind the tables' owner; this does, short of taking the trigger away.
create function cinema.guard_audit_log() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if coalesce(current_setting('cinema.forgetting_audit_log', true), '') = 'on' and tg_op = 'DELETE' then
        return old;
    end if;
    raise exception 'the audit log is only ever added to' using errcode = 'insufficient_privilege';
end
$$;
create trigger guard before update or delete on public.audit_log
    for each row execute function cinema.guard_audit_log();
create trigger guard_truncate before truncate on public.audit_log
    for each statement execute function cinema.guard_audit_log();

-- The one way out, with a floor under it: nobody forgets last month.
create function cinema.forget_audit_log(kept_for interval, most integer) returns integer
language plpgsql security definer set search_path = ''
as $$
declare
    forgotten integer;
begin
    if kept_for < interval '30 days' then
        raise exception 'the audit log is kept for at least 30 days' using errcode = 'check_violation';
    end if;
    perform set_config('cinema.forgetting_audit_log', 'on', true);
    delete from public.audit_log where id in (
        select id from public.audit_log where created_at < clock_timestamp() - kept_for
        order by created_at limit most
    );
    get diagnostics forgotten = row_count;
    perform set_config('cinema.forgetting_audit_log', 'off', true);
    return forgotten;
end
$$;
revoke execute on function cinema.guard_audit_log(), cinema.forget_audit_log(interval, integer) from public;
grant usage on schema cinema to service_role;
grant execute on function cinema.forget_audit_log(interval, integer) to service_role;
