// JSON values are part of nearly every domain type: whoever imports Domain has them.
@_exported public import WireJSON
