-- What a Supabase database has before our first migration, as far as our migrations and queries rely on it:
-- the API roles, auth.uid() over the request's verified claims, and the default privileges on schema public.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['anon nologin', 'authenticated nologin', 'service_role nologin bypassrls'] loop
        begin
            execute 'create role ' || wanted;
        exception
            -- unique_violation: another database of this server creates the same role at this moment.
            when duplicate_object or unique_violation then null;
        end;
    end loop;
end
$$;

create schema if not exists auth;

create or replace function auth.uid() returns uuid
language sql stable
as $$
    select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;

grant usage on schema auth, public to anon, authenticated, service_role;
grant execute on function auth.uid() to anon, authenticated, service_role;

alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
