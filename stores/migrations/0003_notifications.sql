-- Payloads are job ids. Postgres folds equal notifications of one transaction into one and sends them at commit.

create function cinema.notify_job() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('cinema_jobs', new.id::text);
    return null;
end
$$;

create function cinema.notify_output() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('cinema_jobs', new.job_id::text);
    return null;
end
$$;

create function cinema.notify_outbox() returns trigger
language plpgsql set search_path = ''
as $$
begin
    perform pg_catalog.pg_notify('cinema_outbox', new.job_id::text);
    return null;
end
$$;

create trigger notify_change after insert or update on public.jobs
    for each row execute function cinema.notify_job();
create trigger notify_change after insert or update on public.job_outputs
    for each row execute function cinema.notify_output();
create trigger notify_insert after insert on public.outbox
    for each row execute function cinema.notify_outbox();
