"""The object store over Supabase Storage. Not imported with the room: few installations need it, and it is heavy."""

from stores.supabase_storage.buckets import BucketsMade, set_up_buckets
from stores.supabase_storage.objects import SupabaseObjects

__all__ = ["BucketsMade", "SupabaseObjects", "set_up_buckets"]
