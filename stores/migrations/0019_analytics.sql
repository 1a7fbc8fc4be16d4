-- What became of each day's work, added up as it happens, so that no question about totals looks at single outputs.
--
-- A row says what the tables below it say now: an output counts on the day (UTC) on which it last settled, a job on the
-- day on which it did, computing on the day on which the attempt that is charged ended. One that is put back in the
-- queue counts no more until it settles again; expiry changes nothing. Sums are exact (milliseconds and decimals), so
-- that what is taken away leaves what was there before. Jobs, outputs and charges are removed only with their whole
-- project, and its totals with it; so nothing here follows a removal.

alter table public.jobs add column settled_at timestamptz;
comment on column public.jobs.settled_at is 'When it last ended; null while it is worked on.';
update public.jobs set settled_at = updated_at where cinema.job_settled(status);

create function cinema.note_job_settlement() returns trigger
language plpgsql set search_path = ''
as $$
begin
    new.settled_at := case when cinema.job_settled(new.status) then now() end;
    return new;
end
$$;
create trigger note_settlement before update on public.jobs
    for each row when (old.status is distinct from new.status) execute function cinema.note_job_settlement();

create table public.job_days (
    owner_id uuid not null,
    project_id uuid not null,
    day date not null,
    completed bigint not null default 0 check (completed >= 0),
    partial bigint not null default 0 check (partial >= 0),
    failed bigint not null default 0 check (failed >= 0),
    cancelled bigint not null default 0 check (cancelled >= 0),
    analysis_ms bigint not null default 0 check (analysis_ms >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (project_id, day),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade
);
comment on table public.job_days is 'A project''s jobs by how they ended, and its analyses, day by day.';
comment on column public.job_days.analysis_ms is 'Processor time that the creator was charged.';
create index job_days_owner on public.job_days (owner_id, day);

create table public.output_days (
    owner_id uuid not null,
    project_id uuid not null,
    day date not null,
    variant text not null check (variant ~ '^[a-z][a-z0-9_]{0,63}$'),
    completed bigint not null default 0 check (completed >= 0),
    failed bigint not null default 0 check (failed >= 0),
    cancelled bigint not null default 0 check (cancelled >= 0),
    render_ms bigint not null default 0 check (render_ms >= 0),
    video_ms bigint not null default 0 check (video_ms >= 0),
    removed_ms bigint not null default 0 check (removed_ms >= 0),
    cuts_per_minute numeric not null default 0,
    mean_shot_s numeric not null default 0,
    b_roll_share numeric not null default 0,
    words_per_minute numeric not null default 0,
    integrated_lufs numeric not null default 0,
    with_loudness bigint not null default 0 check (with_loudness >= 0),
    true_peak_dbtp numeric not null default 0,
    with_true_peak bigint not null default 0 check (with_true_peak >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (project_id, day, variant),
    foreign key (project_id, owner_id) references public.projects (id, owner_id) on delete cascade
);
comment on table public.output_days is
    'A project''s outputs of one variant by how they ended, day by day, with the sums of what was measured on the '
    'completed ones; divide a metric by how many have it.';
comment on column public.output_days.render_ms is 'Processor time that the creator was charged.';
comment on column public.output_days.removed_ms is 'Of the footage''s talk, left out of the videos.';
create index output_days_owner on public.output_days (owner_id, day);

create trigger touch_updated_at before update on public.job_days
    for each row execute function cinema.touch_updated_at();
create trigger touch_updated_at before update on public.output_days
    for each row execute function cinema.touch_updated_at();

-- What one row of the tables below is worth: the only place that says so, for what is added, taken away and rebuilt.

create function cinema.job_worth(job public.jobs) returns setof public.job_days
language sql stable set search_path = ''
as $$
    select job.owner_id, job.project_id, (job.settled_at at time zone 'UTC')::date,
        (job.status = 'completed')::int, (job.status = 'partial')::int,
        (job.status = 'failed')::int, (job.status = 'cancelled')::int, 0::bigint, now(), now()
    where job.settled_at is not null
$$;

create function cinema.output_worth(output public.job_outputs) returns setof public.output_days
language sql stable set search_path = ''
as $$
    select output.owner_id, job.project_id, (output.settled_at at time zone 'UTC')::date, output.variant,
        (output.status = 'completed')::int, (output.status = 'failed')::int, (output.status = 'cancelled')::int,
        0::bigint,
        coalesce(round(made.duration_s * 1000), 0)::bigint, coalesce(round(made.removed_s * 1000), 0)::bigint,
        coalesce(made.cuts_per_minute, 0), coalesce(made.mean_shot_s, 0), coalesce(made.b_roll_share, 0),
        coalesce(made.words_per_minute, 0),
        coalesce(made.integrated_lufs, 0), (made.integrated_lufs is not null)::int,
        coalesce(made.true_peak_dbtp, 0), (made.true_peak_dbtp is not null)::int, now(), now()
    from public.jobs job, jsonb_to_record(coalesce(output.files #> '{report,metrics}', '{}')) as made(
        duration_s numeric, removed_s numeric, cuts_per_minute numeric, mean_shot_s numeric, b_roll_share numeric,
        words_per_minute numeric, integrated_lufs numeric, true_peak_dbtp numeric
    )
    where job.id = output.job_id and output.settled_at is not null
$$;

create function cinema.add_job_day(worth public.job_days, times integer) returns void
language sql set search_path = ''
as $$
    insert into public.job_days as known
        (owner_id, project_id, day, completed, partial, failed, cancelled, analysis_ms)
    select worth.owner_id, worth.project_id, worth.day, 0, 0, 0, 0, 0
    on conflict (project_id, day) do nothing;
    update public.job_days as known set
        completed = known.completed + times * worth.completed,
        partial = known.partial + times * worth.partial,
        failed = known.failed + times * worth.failed,
        cancelled = known.cancelled + times * worth.cancelled,
        analysis_ms = known.analysis_ms + times * worth.analysis_ms
    where known.project_id = worth.project_id and known.day = worth.day
$$;

create function cinema.add_output_day(worth public.output_days, times integer) returns void
language sql set search_path = ''
as $$
    insert into public.output_days (owner_id, project_id, day, variant)
    select worth.owner_id, worth.project_id, worth.day, worth.variant
    on conflict (project_id, day, variant) do nothing;
    update public.output_days as known set
        completed = known.completed + times * worth.completed,
        failed = known.failed + times * worth.failed,
        cancelled = known.cancelled + times * worth.cancelled,
        render_ms = known.render_ms + times * worth.render_ms,
        video_ms = known.video_ms + times * worth.video_ms,
        removed_ms = known.removed_ms + times * worth.removed_ms,
        cuts_per_minute = known.cuts_per_minute + times * worth.cuts_per_minute,
        mean_shot_s = known.mean_shot_s + times * worth.mean_shot_s,
        b_roll_share = known.b_roll_share + times * worth.b_roll_share,
        words_per_minute = known.words_per_minute + times * worth.words_per_minute,
        integrated_lufs = known.integrated_lufs + times * worth.integrated_lufs,
        with_loudness = known.with_loudness + times * worth.with_loudness,
        true_peak_dbtp = known.true_peak_dbtp + times * worth.true_peak_dbtp,
        with_true_peak = known.with_true_peak + times * worth.with_true_peak
    where known.project_id = worth.project_id and known.day = worth.day and known.variant = worth.variant
$$;

-- Taken before any row of a project's totals, and held until the end of the transaction: whoever settles outputs of the
-- same project in another order would otherwise wait for each other for ever.
create function cinema.lock_totals(of_project uuid) returns void
language sql set search_path = ''
as $$ select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('totals ' || of_project, 0)) $$;

-- Definers' rights, because whoever may change a status must not need rights on the totals.

create function cinema.count_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.lock_totals(new.project_id);
    perform cinema.add_job_day(worth, -1) from cinema.job_worth(old) worth;
    perform cinema.add_job_day(worth, 1) from cinema.job_worth(new) worth;
    return null;
end
$$;
create trigger count_settlement after update on public.jobs
    for each row when (old.settled_at is distinct from new.settled_at or old.status is distinct from new.status)
    execute function cinema.count_job();

create function cinema.count_output() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.lock_totals((select project_id from public.jobs where id = new.job_id));
    perform cinema.add_output_day(worth, -1) from cinema.output_worth(old) worth;
    perform cinema.add_output_day(worth, 1) from cinema.output_worth(new) worth;
    return null;
end
$$;
create trigger count_settlement after update on public.job_outputs
    for each row when (
        old.settled_at is distinct from new.settled_at or old.files is distinct from new.files
        or (old.status is distinct from new.status and new.settled_at is not null)
    ) execute function cinema.count_output();

-- What has ended is never changed in the ledger, so nothing is ever taken away of it.
create function cinema.charged_ms(entry public.ledger) returns bigint
language sql immutable set search_path = ''
as $$ select round((entry.cpu_s * 1000)::numeric)::bigint $$;

create function cinema.count_charge() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    charged_project uuid := (select project_id from public.jobs where id = new.job_id);
    day date := (new.ended_at at time zone 'UTC')::date;
begin
    perform cinema.lock_totals(charged_project);
    if new.kind = 'analysis' then
        perform cinema.add_job_day(
            (new.owner_id, charged_project, day, 0, 0, 0, 0, cinema.charged_ms(new), now(), now())::public.job_days, 1
        );
    else
        perform cinema.add_output_day((
            new.owner_id, charged_project, day, new.subject, 0, 0, 0, cinema.charged_ms(new),
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, now(), now()
        )::public.output_days, 1);
    end if;
    return null;
end
$$;
create trigger count_charge after update on public.ledger
    for each row when (not old.charged and new.charged) execute function cinema.count_charge();

-- The same from the tables below, for repair and for what was there before.
create function cinema.rebuild_totals(of_project uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.lock_totals(of_project);
    delete from public.job_days where project_id = of_project;
    delete from public.output_days where project_id = of_project;
    insert into public.job_days (owner_id, project_id, day, completed, partial, failed, cancelled, analysis_ms)
    select owner_id, project_id, day, sum(completed), sum(partial), sum(failed), sum(cancelled), sum(analysis_ms)
    from (
        select worth.* from public.jobs job, cinema.job_worth(job) worth where job.project_id = of_project
        union all
        select job.owner_id, job.project_id, (entry.ended_at at time zone 'UTC')::date, 0, 0, 0, 0,
            cinema.charged_ms(entry), now(), now()
        from public.ledger entry join public.jobs job on job.id = entry.job_id
        where job.project_id = of_project and entry.charged and entry.kind = 'analysis'
    ) worth group by owner_id, project_id, day;
    insert into public.output_days (
        owner_id, project_id, day, variant, completed, failed, cancelled, render_ms, video_ms, removed_ms,
        cuts_per_minute, mean_shot_s, b_roll_share, words_per_minute, integrated_lufs, with_loudness, true_peak_dbtp,
        with_true_peak
    )
    select owner_id, project_id, day, variant, sum(completed), sum(failed), sum(cancelled), sum(render_ms),
        sum(video_ms), sum(removed_ms), sum(cuts_per_minute), sum(mean_shot_s), sum(b_roll_share),
        sum(words_per_minute), sum(integrated_lufs), sum(with_loudness), sum(true_peak_dbtp), sum(with_true_peak)
    from (
        select worth.* from public.jobs job join public.job_outputs output on output.job_id = job.id,
            cinema.output_worth(output) worth
        where job.project_id = of_project
        union all
        select job.owner_id, job.project_id, (entry.ended_at at time zone 'UTC')::date, entry.subject, 0, 0, 0,
            cinema.charged_ms(entry), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, now(), now()
        from public.ledger entry join public.jobs job on job.id = entry.job_id
        where job.project_id = of_project and entry.charged and entry.kind = 'render'
    ) worth group by owner_id, project_id, day, variant;
end
$$;

revoke execute on function cinema.job_worth(public.jobs), cinema.output_worth(public.job_outputs),
    cinema.add_job_day(public.job_days, integer), cinema.add_output_day(public.output_days, integer),
    cinema.lock_totals(uuid), cinema.count_job(), cinema.count_output(), cinema.count_charge(),
    cinema.charged_ms(public.ledger), cinema.rebuild_totals(uuid) from public;
grant execute on function cinema.rebuild_totals(uuid) to service_role;

revoke all on public.job_days, public.output_days from anon, authenticated;
grant all on public.job_days, public.output_days to service_role;
grant select on public.job_days, public.output_days to authenticated;
alter table public.job_days enable row level security;
alter table public.output_days enable row level security;
create policy owner_reads on public.job_days for select to authenticated using (owner_id = (select auth.uid()));
create policy owner_reads on public.output_days for select to authenticated using (owner_id = (select auth.uid()));

select cinema.rebuild_totals(id) from public.projects;
