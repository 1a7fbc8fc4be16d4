-- Finding an output that was already rendered from the very same edit and settings, among the owner's own.

create index job_outputs_rendered on public.job_outputs (owner_id, (files ->> 'render_key')) where status = 'completed';
