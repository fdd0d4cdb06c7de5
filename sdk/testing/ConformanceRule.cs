namespace Merge.Testing;

/// <summary>What a merge method is held to.</summary>
public enum ConformanceRule
{
    /// <summary>Info and options record are such that a host can use them: no id of a method of its own, no property that a recipe
    /// cannot set; every finite bound is refused when it is
    /// crossed, and at the ends of bounds and search ranges the result is finite or the method refuses in words.</summary>
    Options,
    /// <summary>Plan and Survey run: they throw nothing but refusals in words, await statistics only, and what they return fits the
    /// tensor.</summary>
    Plan,
    /// <summary>Models that all equal the base (or, without one, each other) give themselves.</summary>
    Identity,
    /// <summary>The models in another order give the same; asked for by <see cref="ConformanceSetup.Symmetric"/>.</summary>
    Permutation,
    /// <summary>The same bytes whatever the size of the blocks, rows cut through and rows whole.</summary>
    Blocks,
    /// <summary>The same bytes on one thread and on several.</summary>
    Threads,
    /// <summary>The same bytes every time under one seed.</summary>
    Determinism,
    /// <summary>A NaN of an input is seen in the output.</summary>
    NotANumber,
    /// <summary>Empty, 0-dim, 1-element and 4-D tensors are merged.</summary>
    Shapes,
    /// <summary>The code that plans opens no files, sockets or processes.</summary>
    Files,
    /// <summary>The code that plans asks no clock, no random generator and no environment, and writes to no field of its
    /// own class or of statics.</summary>
    State,
    /// <summary>Managed memory does not grow with the size of a tensor.</summary>
    Memory,
    /// <summary>The same bytes on a device (CUDA, OpenCL) as on the processor; where there is no device, a finding says that it
    /// was not checked.</summary>
    Device,
}
