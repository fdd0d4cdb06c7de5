using System.Collections.Immutable;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>A file of side tensors that the recipe names for one model.</summary>
/// <param name="Name">The side input's name.</param>
/// <param name="Model">The model's index.</param>
/// <param name="Suffix">What its tensors' names may carry behind the parameter's.</param>
/// <param name="Text">The file as the recipe writes it.</param>
/// <param name="Checkpoint">The file.</param>
internal sealed record SideFile(string Name, int Model, string? Suffix, string Text, Checkpoint Checkpoint);

/// <summary>Finds, for a tensor, what the side files hold of it: whole, in rank-1 form, or nothing.</summary>
internal static class SideInputs
{
    public static ImmutableArray<SideTensor> Find(
        TensorPlace tensor, IReadOnlyList<SideFile> files, List<Diagnostic> problems) =>
        [.. files.Select(f => Find(tensor.Tensor, tensor.Inputs[f.Model], f, problems)).OfType<SideTensor>()];

    /// <summary>A file that has nothing for any tensor is the wrong file.</summary>
    public static void CheckUsed(IReadOnlyList<SideFile> files, IReadOnlyList<TensorPlan> tensors, List<Diagnostic> problems)
    {
        foreach (var file in files)
        {
            if (tensors.Any(t => t.Side(file.Name, file.Model) is not null))
                continue;
            problems.Add(new Diagnostic($"'{file.Text}' has nothing for any tensor of the model")
            {
                Expected = $"tensors named as the parameters{(file.Suffix is null ? "" : $", or with {file.Suffix} appended")}",
                Where = file.Checkpoint.Path,
                Fix = $"Its first tensor is '{file.Checkpoint.Tensors.Keys.FirstOrDefault()}': give the file that belongs to this model.",
            });
        }
    }

    // The file belongs to the model: it has the model's names.
    private static SideTensor? Find(TensorInfo tensor, string ownName, SideFile file, List<Diagnostic> problems)
    {
        foreach (var name in new[] { ownName, ownName + file.Suffix }.Distinct())
        {
            if (file.Checkpoint.Tensors.TryGetValue(name, out var whole))
            {
                Check(whole, tensor.Shape);
                return new(file.Name, file.Model, whole, null, null);
            }
            var rows = file.Checkpoint.Tensors.GetValueOrDefault(name + ".row_sum");
            var columns = file.Checkpoint.Tensors.GetValueOrDefault(name + ".column_sum");
            if (rows is null != columns is null)
            {
                problems.Add(new Diagnostic($"side tensor '{(rows ?? columns)!.Name}' is alone")
                {
                    Expected = $"'{name}.row_sum' and '{name}.column_sum', or '{name}'",
                    Where = file.Checkpoint.Path,
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
            if (stored.Shape.AsSpan().SequenceEqual(shape.AsSpan()) && (dtype is null ? stored.DType.IsMergeable() : stored.DType == dtype))
                return;
            problems.Add(new Diagnostic($"side tensor '{stored.Name}' is {stored.DType} [{string.Join(", ", stored.Shape)}]")
            {
                Expected = $"{dtype?.ToString() ?? "a floating-point dtype"} [{string.Join(", ", shape)}]",
                Where = file.Checkpoint.Path,
                Fix = $"Give the file that belongs to '{file.Text}'s model.",
            });
        }
    }
}
