-- The last word on status changes, whoever writes. SQLSTATE CN001 is an impossible transition and CN002 a write by a
-- superseded attempt; stores/database.py turns both into ConflictError.

create function cinema.guard_job_status() returns trigger
language plpgsql set search_path = ''
as $$
begin
    -- Between the working stages every step is possible: a workflow started anew walks them from the beginning.
    if not (
        old.status in ('queued', 'analysing', 'planning', 'rendering') and new.status <> 'queued'
        or old.status in ('partial', 'failed', 'cancelled') and new.status = 'queued'
    ) then
        raise exception 'This job is % and cannot become %.', old.status, new.status using errcode = 'CN001';
    end if;
    return new;
end
$$;

create trigger guard_status before update on public.jobs
    for each row when (old.status is distinct from new.status) execute function cinema.guard_job_status();

create function cinema.guard_output_status() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if (old.status, new.status) not in (
        ('queued', 'planned'), ('queued', 'rendering'), ('queued', 'failed'), ('queued', 'cancelled'),
        ('planned', 'rendering'), ('planned', 'failed'), ('planned', 'cancelled'),
        ('rendering', 'completed'), ('rendering', 'failed'), ('rendering', 'cancelled'),
        ('failed', 'queued'), ('cancelled', 'queued')
    ) then
        raise exception 'This output is % and cannot become %.', old.status, new.status using errcode = 'CN001';
    end if;
    return new;
end
$$;

create trigger guard_status before update on public.job_outputs
    for each row when (old.status is distinct from new.status) execute function cinema.guard_output_status();

create function cinema.guard_output_attempt() returns trigger
language plpgsql set search_path = ''
as $$
begin
    if new.attempt < old.attempt then
        raise exception 'Attempt % of this output has been superseded by attempt %.', new.attempt, old.attempt
            using errcode = 'CN002';
    end if;
    if new.status <> 'rendering' then
        raise exception 'This output is %; only a render begins an attempt.', new.status using errcode = 'CN001';
    end if;
    return new;
end
$$;

create trigger guard_attempt before update on public.job_outputs
    for each row when (old.attempt is distinct from new.attempt) execute function cinema.guard_output_attempt();

create function cinema.guard_new_status() returns trigger
language plpgsql set search_path = ''
as $$
begin
    raise exception 'A new row of % starts as queued.', tg_table_name using errcode = 'CN001';
end
$$;

create trigger guard_new_status before insert on public.jobs
    for each row when (new.status <> 'queued') execute function cinema.guard_new_status();
create trigger guard_new_status before insert on public.job_outputs
    for each row when (new.status <> 'queued' or new.attempt <> 0) execute function cinema.guard_new_status();
