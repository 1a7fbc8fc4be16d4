-- Storyboards are among the objects that an output names. No row names one yet, so the index over them stays as it is.

create or replace function cinema.output_objects(files jsonb, edl_key text) returns text[]
language sql immutable set search_path = ''
as $$
    select array_remove(array[
        'outputs/' || (files ->> 'video_key'), 'outputs/' || (files ->> 'edl_key'), 'outputs/' || (files ->> 'otio_key'),
        'outputs/' || (files ->> 'srt_key'), 'outputs/' || (files ->> 'vtt_key'), 'thumbs/' || (files ->> 'thumbnail_key'),
        'thumbs/' || (files -> 'storyboard' ->> 'image_key'), 'outputs/' || edl_key
    ], null)
$$;
