-- Links by which anyone who has them sees one output. Only the token's SHA-256 is kept: who reads this table can open
-- nothing. It has 256 random bits, so a plain hash is as good as a slow one (NIST SP 800-63B, section 5.1.2.2).

create unique index job_outputs_owned on public.job_outputs (id, owner_id);

create table public.share_links (
    id uuid primary key default gen_random_uuid(),
    owner_id uuid not null,
    output_id uuid not null,
    token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
    password text check (char_length(password) between 1 and 500),
    has_password boolean not null generated always as (password is not null) stored,
    expires_at timestamptz not null,
    max_views integer check (max_views > 0),
    views integer not null default 0 check (views >= 0),
    last_viewed_at timestamptz,
    revoked_at timestamptz,
    guesses integer not null default 0 check (guesses >= 0),
    guessed_at timestamptz,
    guess_after timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    foreign key (output_id, owner_id) references public.job_outputs (id, owner_id) on delete cascade,
    constraint share_links_within_their_views check (max_views is null or views <= max_views)
);
comment on column public.share_links.password is 'Salted and slow hash, with its parameters; null where none is asked for.';
comment on column public.share_links.guesses is 'Wrong passwords of late, and those being checked.';
comment on column public.share_links.guess_after is 'Before this no password is looked at.';
create index share_links_output on public.share_links (output_id, created_at desc, id desc);
create index share_links_owner on public.share_links (owner_id);

create trigger touch_updated_at before update on public.share_links
    for each row execute function cinema.touch_updated_at();

revoke all on public.share_links from anon, authenticated;
grant all on public.share_links to service_role;
grant select (id, owner_id, output_id, has_password, expires_at, max_views, views, last_viewed_at, revoked_at, created_at,
    updated_at) on public.share_links to authenticated;
alter table public.share_links enable row level security;
create policy owner_reads on public.share_links for select to authenticated using (owner_id = (select auth.uid()));
