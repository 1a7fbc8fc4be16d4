-- Whether a creator has said in which order the footage of a project is told.
alter table public.projects add column in_given_order boolean not null default false;
comment on column public.projects.in_given_order is
    'The positions of its assets are an order that somebody chose; else they are the order in which they arrived.';
