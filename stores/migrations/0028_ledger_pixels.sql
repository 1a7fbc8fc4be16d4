-- How much picture an attempt worked on, so that work on small and on large pictures can be compared.
alter table public.ledger add column pixel_rate bigint check (pixel_rate > 0);
comment on column public.ledger.pixel_rate is
    'Pixels decoded and encoded for each second of media; null where no picture was looked at, and in older entries.';
