-- What a creator says of footage: words by which it is shown where they are said.

alter table public.assets
    add column tags text[] not null default '{}' check (cardinality(tags) <= 30),
    add column description text not null default '' check (char_length(description) <= 2000);
alter table public.uploads
    add column tags text[] not null default '{}' check (cardinality(tags) <= 30),
    add column description text not null default '' check (char_length(description) <= 2000);
