-- A job may make several outputs of one variant, each in a way of its own. Earlier jobs made one of each, all as their
-- request says, and so their outputs have no spec.

alter table public.job_outputs
    add column number smallint not null default 1 check (number >= 1),
    add column count smallint not null default 1,
    add column spec jsonb check (jsonb_typeof(spec) = 'object'),
    add constraint job_outputs_number_of_count check (number <= count),
    drop constraint job_outputs_job_id_variant_key,
    add constraint job_outputs_number unique (job_id, variant, number);
comment on column public.job_outputs.number is 'Which of the job''s outputs of this variant this is, of how many.';
comment on column public.job_outputs.spec is 'How this output was asked for: pace, style, captions, and which passage.';
