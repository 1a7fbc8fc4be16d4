-- An entry that cannot be started by any number of tries becomes a dead letter: it waits for an operator, keeps the
-- reason, and can be replayed. Only refusals of the entry itself count towards that; outages never do.

alter table public.outbox
    add column refusals integer not null default 0 check (refusals >= 0),
    add column waiting_since timestamptz not null default now(),
    add column dead_at timestamptz,
    add constraint outbox_done_or_dead check (done_at is null or dead_at is null),
    add constraint outbox_dead_with_reason check (dead_at is null or last_error is not null);
update public.outbox set waiting_since = created_at;
comment on column public.outbox.attempts is 'Claims, whatever came of them.';
comment on column public.outbox.refusals is 'Starts that failed through the entry itself, since it was made or replayed.';
comment on column public.outbox.waiting_since is 'When the entry was made or last replayed.';
comment on column public.outbox.dead_at is 'When the entry was given up; null while it is not.';

drop index public.outbox_due;
create index outbox_due on public.outbox (available_at, id) where done_at is null and dead_at is null;
create index outbox_waiting on public.outbox (waiting_since) where done_at is null and dead_at is null;
create index outbox_dead on public.outbox (dead_at) where dead_at is not null;

create trigger notify_replay after update on public.outbox
    for each row when (old.dead_at is not null and new.dead_at is null) execute function cinema.notify_outbox();
