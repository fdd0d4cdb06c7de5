using System.Reflection;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// Points of a space as the options a merge runs with: for every tensor a copy of its options record with the searched
/// properties replaced. Tensors of the same options and the same place in the space share one record.
/// </summary>
internal sealed class CandidateOptions
{
    private static readonly Func<object, object> Clone = typeof(object)
        .GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<Func<object, object>>();

    private readonly SpaceOfOptions _space;
    private readonly List<Shared> _shared = [];
    private readonly Dictionary<string, int> _ofTensor = new(StringComparer.Ordinal);

    public CandidateOptions(SpaceOfOptions space, MergePlan plan)
    {
        _space = space;
        var known = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        foreach (var tensor in plan.Tensors.Where(t => !t.IsCopied))
            _ofTensor[tensor.Info.Name] = Place(tensor, known);
    }

    /// <summary>The options of every tensor at a point.</summary>
    /// <exception cref="MergeException">The record refuses a value.</exception>
    public Func<TensorPlan, object> At(IReadOnlyList<double> point)
    {
        object[] made = [.. _shared.Select(s => Make(s, point))];
        return tensor => made[_ofTensor[tensor.Info.Name]];
    }

    private int Place(TensorPlan tensor, Dictionary<string, List<int>> known)
    {
        // Filters of a value per model go by the name in that model, others by that in the output: as in a recipe.
        Cell[] cells =
        [
            _space.CellOf(tensor.Info.Name, tensor.Info.Rank),
            .. tensor.Models.Select(m => _space.CellOf(m.Name, tensor.Info.Rank)),
        ];
        var shared = new Shared(tensor.Options!, cells, _space.IsSmooth ? tensor.T : 0);
        var key = string.Join(' ', cells.Select(c => $"{c.Group},{c.Filter}"));
        if (!known.TryGetValue(key, out var alike))
            known[key] = alike = [];
        foreach (var index in alike)
        {
            if (ReferenceEquals(_shared[index].Options, shared.Options) && _shared[index].T == shared.T)
                return index;
        }
        alike.Add(_shared.Count);
        _shared.Add(shared);
        return _shared.Count - 1;
    }

    private object Make(Shared shared, IReadOnlyList<double> point)
    {
        var options = Clone(shared.Options);
        foreach (var values in _space.Values)
        {
            var schema = values.Option.Schema;
            var value = schema.IsPerModel ? PerModel(options, values, shared, point) : values.At(point, 0, shared.Cells[0], shared.T);
            Set(options, schema, value);
        }
        return options;
    }

    private static object PerModel(object options, OptionValues values, Shared shared, IReadOnlyList<double> point)
    {
        var schema = values.Option.Schema;
        var each = Array.CreateInstance(schema.ClrType, shared.Cells.Length - 1);
        for (var model = 0; model < each.Length; model++)
        {
            each.SetValue(
                values.IsOf(model) ? values.At(point, model, shared.Cells[model + 1], shared.T) : Own(options, schema, model), model);
        }
        return Activator.CreateInstance(schema.Property.PropertyType, [each])!;
    }

    private static object? Own(object options, ParameterSchema schema, int model) =>
        schema.Property.PropertyType.GetProperty("Item")!.GetValue(schema.Property.GetValue(options), [model]);

    private static void Set(object options, ParameterSchema schema, object value)
    {
        try
        {
            schema.Property.SetValue(options, value);
        }
        catch (TargetInvocationException exception)
        {
            throw exception.InnerException as MergeException ?? MergeException.Plugin(
                $"it refused a valid value: {exception.InnerException?.Message}", "bounds in [Parameter] instead",
                $"{options.GetType().FullName}.{schema.Property.Name}");
        }
    }

    /// <param name="Options">As the plan has them.</param>
    /// <param name="Cells">Of the output's name, then of each model's.</param>
    private sealed record Shared(object Options, Cell[] Cells, double T);
}
