using System.Collections.Immutable;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>A file of side tensors that the recipe names for one model.</summary>
/// <param name="Name">The side input's name.</param>
/// <param name="Model">The model's index.</param>
/// <param name="Owner">The model as the recipe writes it.</param>
/// <param name="Suffix">What its tensors' names may carry behind the parameter's.</param>
/// <param name="Text">The file as the recipe writes it.</param>
/// <param name="Checkpoint">The file.</param>
internal sealed record SideFile(string Name, int Model, string Owner, string? Suffix, string Text, Checkpoint Checkpoint)
{
    /// <summary>The shape its tensors must have.</summary>
    public SideShape Shape { get; init; }
}

/// <summary>Finds, for a tensor, what the side files hold of it: whole, in rank-1 form, or nothing.</summary>
internal static class SideInputs
{
    // The file of a model of another size fits nowhere; hundreds of lines would say no more.
    private const int MostMisfits = 4;

    public static ImmutableArray<SideTensor> Find(
        TensorPlace tensor, IReadOnlyList<SideFile> files, List<Diagnostic> problems) =>
        [.. files.Select(f => Find(tensor.Tensor, tensor.Inputs[f.Model], f, problems)).OfType<SideTensor>()];

    /// <summary>A file that has nothing for any tensor is the wrong file; of one that fits nowhere a few places are told.</summary>
    public static void CheckUsed(IReadOnlyList<SideFile> files, IReadOnlyList<TensorPlan> tensors, List<Diagnostic> problems)
    {
        foreach (var file in files)
        {
            var misfits = problems.FindAll(p => p.Where == file.Checkpoint.Path);
            if (misfits.Count > MostMisfits)
            {
                problems.RemoveAll(misfits[MostMisfits..].Contains);
                problems.Add(new Diagnostic($"{misfits.Count - MostMisfits} more side tensors do not fit")
                {
                    Expected = $"those of '{file.Owner}'",
                    Where = file.Checkpoint.Path,
                    Fix = misfits[0].Fix,
                });
            }
            if (misfits.Count > 0 || file.Checkpoint.StateProblem is not null || tensors.Any(t => t.Side(file.Name, file.Model) is not null))
                continue;
            problems.Add(new Diagnostic($"'{file.Text}' has nothing for any tensor of the model")
            {
                Expected = $"tensors named as the parameters{(tensors.Count == 0 ? "" : $" ('{tensors[0].Info.Name}')")}"
                    + (file.Suffix is null ? "" : $", or with {file.Suffix} appended"),
                Where = file.Checkpoint.Path,
                Fix = $"Its first tensor is '{file.Checkpoint.Tensors.Keys.FirstOrDefault()}': give the file that belongs to '{file.Owner}'.",
            });
        }
    }

    // The file belongs to the model: it has the model's names.
    private static SideTensor? Find(TensorInfo tensor, string ownName, SideFile file, List<Diagnostic> problems)
    {
        // A training checkpoint holds both: weights are never what a side input means.
        if (file.Checkpoint.StateProblem is { } unnamed)
        {
            if (!problems.Contains(unnamed))
                problems.Add(unnamed);
            return null;
        }
        var tensors = file.Checkpoint.HasOptimizer ? file.Checkpoint.State : file.Checkpoint.Tensors;
        foreach (var name in new[] { ownName, ownName + file.Suffix }.Distinct())
        {
            if (tensors.TryGetValue(name, out var whole))
            {
                Check(whole, file.Shape == SideShape.InputGram ? [tensor.RowLength, tensor.RowLength] : tensor.Shape);
                return new(file.Name, file.Model, whole, null, null) { Shape = file.Shape };
            }
            if (file.Shape != SideShape.SameAsTensor)
                continue;
            var rows = tensors.GetValueOrDefault(name + ".row_sum");
            var columns = tensors.GetValueOrDefault(name + ".column_sum");
            if (rows is null != columns is null)
            {
                problems.Add(new Diagnostic($"side tensor '{(rows ?? columns)!.Name}' is alone")
                {
                    Expected = $"'{name}.row_sum' and '{name}.column_sum', or '{name}'",
                    Where = file.Checkpoint.Path,
                    Fix = "The file is not complete: make it again, with 'merge curvature compress'.",
                });
            }
            if (rows is not null && columns is not null)
            {
                Check(rows, [tensor.RowCount], DType.F32);
                Check(columns, [tensor.RowLength], DType.F32);
                return new(file.Name, file.Model, null, rows, columns);
            }
        }
        return null;

        void Check(TensorSource stored, ImmutableArray<long> shape, DType? dtype = null)
        {
            var hasShape = stored.Shape.AsSpan().SequenceEqual(shape.AsSpan());
            if (hasShape && (dtype is null ? stored.DType.IsMergeable() : stored.DType == dtype))
                return;
            problems.Add(new Diagnostic($"side tensor '{stored.Name}' is {stored.DType} [{string.Join(", ", stored.Shape)}]")
            {
                Expected = $"{dtype?.ToString() ?? "a floating-point dtype"} [{string.Join(", ", shape)}]{(file.Shape == SideShape.InputGram ? ", the Gram matrix of a layer's inputs" : "")}",
                Where = file.Checkpoint.Path,
                Fix = hasShape
                    ? $"Its values must be stored as {dtype?.ToString() ?? "floating-point numbers"}: save it again."
                    : $"Give the file that belongs to '{file.Owner}': it is of another model, or for another one.",
            });
        }
    }
}
