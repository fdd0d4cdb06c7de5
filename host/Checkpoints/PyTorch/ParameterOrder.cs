using System.Runtime.InteropServices;

namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// Finds which of a model's parameters are which numbers of an optimizer. Each of its groups holds some of them in the
/// model's order (those with weight decay, say, and those without); where only one way to deal them out fits every shape,
/// that is it.
/// </summary>
internal static class ParameterOrder
{
    /// <summary>Of all states of the search together: bounds its time and memory.</summary>
    private const int MostPositions = 1 << 19;

    /// <summary>The names by their numbers; null where none or several ways fit.</summary>
    /// <param name="groups">The numbers of each group, with the shapes of what the optimizer keeps of them, if anything.</param>
    /// <param name="model">The parameters in the model's order.</param>
    /// <param name="found">Why there are none.</param>
    public static Dictionary<long, string>? Match(
        IReadOnlyList<IReadOnlyList<(long Id, long[]? Shape)>> groups, IReadOnlyList<ModelParameter> model, out string? found)
    {
        found = null;
        var count = groups.Sum(g => g.Count);
        if (count != model.Count)
        {
            found = $"the optimizer has {count} parameters, and the model's state dict {model.Count}";
            return null;
        }
        // For each parameter of the model: how far each group may be, and by which last step.
        var start = new Dictionary<int[], Step>(SamePositions.Comparer) { [new int[groups.Count]] = new(null, -1, false) };
        var levels = new List<Dictionary<int[], Step>> { start };
        var positions = 0;
        foreach (var parameter in model)
        {
            var next = new Dictionary<int[], Step>(SamePositions.Comparer);
            foreach (var (at, step) in levels[^1])
            {
                for (var g = 0; g < groups.Count; g++)
                {
                    if (at[g] == groups[g].Count)
                        continue;
                    if (groups[g][at[g]].Shape is { } shape && !parameter.Shape.AsSpan().SequenceEqual(shape))
                        continue;
                    if ((positions += groups.Count) > MostPositions)
                    {
                        found = Ambiguous();
                        return null;
                    }
                    int[] after = [.. at];
                    after[g]++;
                    next[after] = new(at, g, step.IsOneOfMany || next.ContainsKey(after));
                }
            }
            if (next.Count == 0)
            {
                found = $"'{PickleText.Shown(parameter.Name)}' is [{string.Join(", ", parameter.Shape)}], and none of the "
                    + $"optimizer's {groups.Count} groups goes on with such a parameter";
                return null;
            }
            levels.Add(next);
        }
        int[] end = [.. groups.Select(g => g.Count)];
        if (levels[^1][end].IsOneOfMany)
        {
            found = Ambiguous();
            return null;
        }
        var names = new Dictionary<long, string>();
        for (var i = model.Count; i > 0; i--)
        {
            var (before, group, _) = levels[i][end];
            end = before!;
            names[groups[group][end[group]].Id] = model[i - 1].Name;
        }
        return names;

        string Ambiguous() =>
            $"the shapes leave several ways to deal the model's {count} parameters out to the optimizer's "
            + $"{groups.Count} groups";
    }

    /// <summary>The last step to a state; <paramref name="IsOneOfMany"/> where there are other ways to it.</summary>
    private sealed record Step(int[]? Before, int Group, bool IsOneOfMany);

    private sealed class SamePositions : IEqualityComparer<int[]>
    {
        public static readonly SamePositions Comparer = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] positions)
        {
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(positions.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
