namespace Merge.Sdk;

/// <summary>Which shape a side input must have beside the tensor it goes with.</summary>
public enum SideShape
{
    /// <summary>
    /// The tensor's own shape: one number a parameter, as a second moment or a diagonal Fisher. A file may store a
    /// 2-D one in rank-1 form as <c>NAME.row_sum</c> [m] and <c>NAME.column_sum</c> [n]; it arrives expanded:
    /// row_i · (column_j / Σ row).
    /// </summary>
    SameAsTensor,
    /// <summary>
    /// n×n with n the tensor's last axis: the Gram matrix XᵀX of a layer's inputs, symmetric, never negative on its
    /// diagonal. It is no value of an element: <see cref="TensorScan.SideMatrix"/> gives it, <see cref="Block.Side"/> does not.
    /// </summary>
    InputGram,
}

/// <summary>
/// Makes a parameter name a file of tensors that go beside each model's parameters. The property is a
/// <c>PerModel&lt;string?&gt;</c> and also carries <see cref="ParameterAttribute"/>; the host finds, opens and checks
/// the file, and <see cref="Block.Side"/> or <see cref="TensorScan.SideMatrix"/> gives the values. In the file a tensor is found under the parameter's name,
/// or with <see cref="Suffix"/> appended.
/// </summary>
/// <param name="name">The name <see cref="Block.Side"/> takes.</param>
/// <param name="shape">The shape it must have.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SideInputAttribute(string name, SideShape shape = SideShape.SameAsTensor) : Attribute
{
    /// <summary>The name <see cref="Block.Side"/> takes.</summary>
    public string Name { get; } = name;

    /// <summary>The shape it must have.</summary>
    public SideShape Shape { get; } = shape;

    /// <summary>A suffix the file's names may carry, for example <c>.exp_avg_sq</c>.</summary>
    public string? Suffix { get; init; }
}
