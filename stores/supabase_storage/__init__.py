"""The object store over Supabase Storage. Not imported with the room: few installations need it, and it is heavy."""

from stores.supabase_storage.arrivals import StorageArrivals
from stores.supabase_storage.buckets import BucketsMade, missing_buckets, set_up_buckets
from stores.supabase_storage.objects import SupabaseObjects
from stores.supabase_storage.policies import secure_storage

__all__ = ["BucketsMade", "StorageArrivals", "SupabaseObjects", "missing_buckets", "secure_storage", "set_up_buckets"]
