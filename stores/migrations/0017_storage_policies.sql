-- Who may read stored objects past our API, where the database is Supabase's: creators what lies in a folder with their
-- id, nobody what belongs to nobody (analyses, which are shared by content). Nobody but service_role writes: row-level
-- security is on in storage.objects, and there is no policy that lets others in.

create function cinema.secure_storage() returns boolean
language plpgsql set search_path = ''
as $$
begin
    if to_regclass('storage.objects') is null then
        return false;
    end if;
    execute 'drop policy if exists cinema_owner_reads on storage.objects';
    execute $policy$
        create policy cinema_owner_reads on storage.objects for select to authenticated using (
            bucket_id in ('assets', 'outputs', 'thumbs')
            and split_part(name, '/', 1) = (select auth.uid())::text
        )
    $policy$;
    return true;
exception
    -- Without the policy creators read less than they may, and nobody more.
    when insufficient_privilege then
        raise warning 'storage.objects belongs to another role: %', sqlerrm;
        return false;
end
$$;
comment on function cinema.secure_storage() is
    'Makes the policies of stored objects anew; false where there is no storage schema, or it may not be changed.';
revoke all on function cinema.secure_storage() from public;

select cinema.secure_storage();
