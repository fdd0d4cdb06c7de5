namespace Merge.Plugins;

/// <summary>What became of a plugin folder.</summary>
internal enum PluginState
{
    /// <summary>All its methods can be used.</summary>
    Loaded,
    /// <summary>Built against a contract this host does not have; none of its code was run.</summary>
    IncompatibleContract,
    /// <summary>An assembly it needs is not there; none of its methods can be used.</summary>
    MissingDependency,
    /// <summary>Sound, but all it offers already comes from plugins that are looked for earlier; none of it is used.</summary>
    Shadowed,
    /// <summary>Not a plugin, or code that failed. Methods that did work are listed and can be used.</summary>
    Malfunctioned,
    /// <summary>Only trusted plugins were asked for, and it is none; none of its code was run.</summary>
    Untrusted,
}
