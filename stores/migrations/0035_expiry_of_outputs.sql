-- Of each output a reader is told as well when its files go, and that they have gone. A function of its own, as
-- processes of the release before read by the other one, and refuse what they do not know.

create function cinema.job_with_expiry(claims text, job_id uuid) returns text
language plpgsql set search_path = '' set timezone = 'UTC'
as $$
declare
    seen text;
begin
    -- The claims first, while we may still set anything.
    perform set_config('request.jwt.claims', claims, true), set_config('role', 'authenticated', true);
    select row_to_json(resource) into seen from (
        select job.id, job.project_id, job.status, job.request,
            json_build_object('computed', job.artifacts_computed, 'reused', job.artifacts_reused) as analyses,
            job.error,
            array(
                select row_to_json(output_resource) from (
                    select output.id, output.job_id, output.variant, output.number, output.count, output.spec,
                        output.status, output.attempt, output.progress, output.stage, output.error,
                        output.edl_key is not null as planned, output.approved_at,
                        output.files -> 'video_bytes' as size_bytes, output.files -> 'video_sha256' as sha256,
                        output.files -> 'report' as report, output.expires_at,
                        output.expiring_since is not null as expired, output.updated_at
                    from public.job_outputs as output where output.job_id = job.id order by output.position
                ) as output_resource
            ) as outputs,
            job.created_at, job.updated_at
        from public.jobs as job where job.id = job_with_expiry.job_id
    ) as resource;
    return seen;
end
$$;
comment on function cinema.job_with_expiry(text, uuid) is
    'A job with its outputs as JSON, as clients see it; null where these claims may not. For services: it believes them.';
revoke execute on function cinema.job_with_expiry(text, uuid) from public;
grant execute on function cinema.job_with_expiry(text, uuid) to service_role;
