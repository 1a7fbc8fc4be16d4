-- What is held against a delivery is that Temporal refused to start it, not that somebody claimed it: claims are also
-- made while Temporal is away.

alter table public.webhook_deliveries add column refusals integer not null default 0 check (refusals >= 0);
comment on column public.webhook_deliveries.refusals is 'Starts that Temporal has read and refused; an outage is none.';
