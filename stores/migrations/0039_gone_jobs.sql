-- Whoever watches a job hears, too, that it has been deleted: by a notification that names no row any more.

create or replace function cinema.notify_job() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('cinema_jobs', coalesce(new.id, old.id)::text);
    return null;
end
$$;

drop trigger notify_change on public.jobs;
create trigger notify_change after insert or update or delete on public.jobs
    for each row execute function cinema.notify_job();
