-- Footage on its way in: uploads that are begun, broken off and resumed, and what each plan lets in.
--
-- An upload has the id of the asset that it becomes. Its bytes lie with the object store until they have been looked
-- at; received_bytes counts those that are there for good, and is never more than what is there.

alter table public.plans
    add column max_asset_bytes bigint check (max_asset_bytes > 0),
    add column max_total_bytes bigint check (max_total_bytes > 0);
comment on column public.plans.max_asset_bytes is 'The largest file that may be uploaded; null sets no limit.';
comment on column public.plans.max_total_bytes is 'All footage that a creator may store; null sets no limit.';
update public.plans set max_asset_bytes = 50::bigint << 30, max_total_bytes = 500::bigint << 30 where id = 'free';

alter table public.assets add column deleted_at timestamptz,
    add constraint assets_deleted_out_of_use check (deleted_at is null or expiring_since is not null);
comment on column public.assets.deleted_at is 'Removed by its creator, who does not see it any more.';

create table public.uploads (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    project_id uuid not null,
    name text not null check (char_length(name) between 1 and 500),
    kind text check (kind in ('a_roll', 'b_roll', 'screen', 'audio')),
    position integer not null check (position >= 0),
    length_bytes bigint not null check (length_bytes > 0),
    received_bytes bigint not null default 0 check (received_bytes between 0 and length_bytes),
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    metadata text check (char_length(metadata) <= 4096),
    status text not null default 'uploading' check (
        status in ('uploading', 'verifying', 'ready', 'refused', 'expired')
    ),
    error jsonb,
    looks integer not null default 0 check (looks >= 0),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (project_id, owner_id) references public.projects (id, owner_id),
    constraint uploads_error_with_refusal check ((status = 'refused') = (error is not null)),
    constraint uploads_verified_when_whole check (status not in ('verifying', 'ready') or received_bytes = length_bytes)
);
comment on table public.uploads is 'Files being uploaded, and for some days those whose upload has ended.';
comment on column public.uploads.sha256 is 'What the client says the whole file has.';
comment on column public.uploads.metadata is 'Upload-Metadata as the client sent it (tus 1.0, creation).';
comment on column public.uploads.looks is 'How often the file could not be looked at for no reason of its own.';
create index uploads_project on public.uploads (project_id, position);
create index uploads_open on public.uploads (owner_id) where status in ('uploading', 'verifying');
create index uploads_expiring on public.uploads (expires_at) where status in ('uploading', 'verifying');
create index uploads_verifying on public.uploads (updated_at) where status = 'verifying';
create index uploads_ended on public.uploads (updated_at) where status in ('ready', 'refused', 'expired');
create index uploads_owner on public.uploads (owner_id);
create trigger touch_updated_at before update on public.uploads
    for each row execute function cinema.touch_updated_at();
create trigger guard_open before insert on public.uploads
    for each row execute function cinema.guard_project_open();

-- What counts towards a plan's total: each stored file once, and all that is being uploaded.
create function cinema.stored_bytes(owner uuid) returns bigint
language sql stable set search_path = ''
as $$
    select (
        select coalesce(sum(size_bytes), 0) from (
            select distinct object_key, size_bytes from public.assets where owner_id = owner and expired_at is null
        ) as stored
    )::bigint + (
        select coalesce(sum(length_bytes), 0) from public.uploads
        where owner_id = owner and status in ('uploading', 'verifying')
    )::bigint
$$;

revoke all on public.uploads from anon, authenticated;
grant all on public.uploads to service_role;
grant select on public.uploads to authenticated;
alter table public.uploads enable row level security;
create policy owner_reads on public.uploads for select to authenticated using (owner_id = (select auth.uid()));
