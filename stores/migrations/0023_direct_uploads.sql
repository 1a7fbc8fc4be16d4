-- Uploads that go straight to the object store, past our API. Such a one lies under object_key from its first byte on,
-- also as an asset. Its sender's leave cannot be taken back, so its row outlives being given up, and what arrives later
-- under its key is removed.

alter table public.uploads
    add column object_key text check (char_length(object_key) between 1 and 1024),
    add column given_up_at timestamptz,
    add constraint uploads_given_up_unfinished check (given_up_at is null or status in ('refused', 'expired'));
comment on column public.uploads.object_key is 'Where its bytes go past us in bucket assets; null where they come to our API.';
comment on column public.uploads.given_up_at is 'Ended by its creator, who does not see it any more.';
create index uploads_past_us on public.uploads (expires_at) where status = 'uploading' and object_key is not null;
create index uploads_left on public.uploads (updated_at)
    where status in ('refused', 'expired') and object_key is not null;
