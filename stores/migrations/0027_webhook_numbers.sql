-- Events tell several outputs of one variant apart.

create or replace function cinema.announce_job() returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
    event_type text := case
        when new.status in ('completed', 'partial', 'failed', 'cancelled') then 'job.' || new.status
        else 'job.started'
    end;
    outputs jsonb;
    total integer;
    ready integer;
begin
    select coalesce(jsonb_agg(
            jsonb_build_object(
                'output_id', id, 'variant', variant, 'number', number, 'count', count, 'status', status
            ) order by position
        ), '[]'), count(*), count(*) filter (where status = 'completed')
    from public.job_outputs where job_id = new.id into outputs, total, ready;
    perform cinema.emit_webhook_event(new.owner_id, new.project_id, event_type, jsonb_build_object(
        'job_id', new.id,
        'project_id', new.project_id,
        'status', new.status,
        'message', case new.status
            when 'completed' then 'Every output of the job is ready.'
            when 'partial' then format('%s of the job''s %s outputs are ready.', ready, total)
                || case when ready = total then ' Some of the files could not be used.' else '' end
            when 'failed' then coalesce(left(new.error ->> 'message', 1000), 'No output of the job could be made.')
            when 'cancelled' then 'The job was cancelled.'
            else 'Work on the job has begun.'
        end,
        'error', cinema.webhook_error(new.error),
        'outputs', outputs
    ));
    return null;
end
$$;

create or replace function cinema.announce_output() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform cinema.emit_webhook_event(
        new.owner_id,
        (select project_id from public.jobs where id = new.job_id),
        'output.' || new.status,
        jsonb_build_object(
            'output_id', new.id,
            'job_id', new.job_id,
            'project_id', (select project_id from public.jobs where id = new.job_id),
            'variant', new.variant,
            'number', new.number,
            'count', new.count,
            'status', new.status,
            'attempt', new.attempt,
            'message', case new.status
                when 'completed' then 'The output is ready.'
                when 'failed' then coalesce(left(new.error ->> 'message', 1000), 'The output could not be made.')
                else 'The output was cancelled.'
            end,
            'error', cinema.webhook_error(new.error)
        )
    );
    return null;
end
$$;
