-- A segment lies with one project and serves all of its owner's.

create index segments_owner on public.segments (owner_id, key);
comment on table public.segments is 'Rendered parts of long outputs, by content: pictures of a stretch, or a whole sound.';
