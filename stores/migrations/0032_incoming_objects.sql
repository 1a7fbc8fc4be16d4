-- Footage that is being stored and is no asset yet. Its object lies under its owner and its content, below no project:
-- a process killed between storing it and recording the asset would leave bytes that nobody knows of, deletions included.

create table public.incoming_objects (
    owner_id uuid not null,
    project_id uuid not null,
    object_key text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    announced_at timestamptz not null default clock_timestamp(),
    primary key (project_id, object_key),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade
);
comment on table public.incoming_objects is 'Objects in bucket assets that are about to be stored; gone when their asset is recorded.';

create index incoming_objects_since on public.incoming_objects (announced_at);

create trigger guard_open before insert on public.incoming_objects
    for each row execute function cinema.guard_project_open();

create function cinema.note_recorded() returns trigger
language plpgsql set search_path = ''
as $$
begin
    delete from public.incoming_objects where project_id = new.project_id and object_key = new.object_key;
    return null;
end
$$;
create trigger note_recorded after insert on public.assets
    for each row execute function cinema.note_recorded();

revoke all on public.incoming_objects from anon, authenticated;
grant all on public.incoming_objects to service_role;
alter table public.incoming_objects enable row level security;
