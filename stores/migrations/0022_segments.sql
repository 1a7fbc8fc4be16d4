-- Long outputs are rendered in parts, on any number of workers, and joined. A part is known by its content, so that what
-- was made is not made again: not after a kill, not in a retry, not when something else in the edit was changed.

create table public.segments (
    owner_id uuid not null,
    project_id uuid not null,
    key text not null check (key ~ '^[0-9a-f]{64}$'),
    object_key text not null unique check (object_key like owner_id || '/' || project_id || '/%'),
    usable boolean not null default false,
    size_bytes bigint check (size_bytes > 0),
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    report jsonb check (jsonb_typeof(report) = 'object'),
    used_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (project_id, key),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade,
    constraint segments_usable_with_proof check (
        not usable or size_bytes is not null and sha256 is not null and report is not null
    )
);
comment on table public.segments is 'Rendered parts of long outputs, by project and content: pictures of a stretch, or a whole sound.';
comment on column public.segments.key is 'SHA-256 of all that the part depends on.';
comment on column public.segments.usable is 'False while its object is written for the first time, or removed.';
comment on column public.segments.report is 'What its render had to say: notes for the creator, and the time its stages took.';
comment on column public.segments.used_at is 'When an output was last made of it; it is kept for a while from then.';

create index segments_usable on public.segments (used_at) where usable;
create index segments_unusable on public.segments (object_key) where not usable;

create trigger touch_updated_at before update on public.segments
    for each row execute function cinema.touch_updated_at();
create trigger guard_open before insert on public.segments
    for each row execute function cinema.guard_project_open();

revoke all on public.segments from anon, authenticated;
grant all on public.segments to service_role;
alter table public.segments enable row level security;

-- How far an output is that is made in parts: the share of the whole that each part is, and how much of it is done.
alter table public.job_outputs
    add column part_shares double precision[],
    add column parts_done double precision[],
    add constraint job_outputs_parts_of_a_kind check (cardinality(part_shares) = cardinality(parts_done));

-- An attempt at a part is an attempt of its own.
alter table public.ledger add column part text not null default '' check (part ~ '^(|sound|join|segment [1-9][0-9]*)$');
comment on column public.ledger.part is 'Of an output that is made in parts: which one; empty where it was made in one piece.';
drop index public.ledger_render_attempt;
create unique index ledger_render_attempt on public.ledger (output_id, subject, part, attempt) where kind = 'render';
