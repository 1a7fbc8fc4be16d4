-- A video that has been made and checked and is on its way into the object store. A worker that is killed before it has
-- said that the output is completed leaves it there, and this says what it is: the next attempt publishes it.

alter table public.job_outputs add column announced jsonb check (jsonb_typeof(announced) = 'object');
comment on column public.job_outputs.announced is
    'What files will say once the video has arrived in the object store; null where none is on its way.';
