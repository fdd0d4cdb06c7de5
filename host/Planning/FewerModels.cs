using System.Collections.Immutable;
using System.Reflection;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What a strategy gets for a tensor that only some of the models take part in.</summary>
internal static class FewerModels
{
    /// <summary>The side inputs of the kept models, which are numbered anew.</summary>
    public static ImmutableArray<SideTensor> Sides(ImmutableArray<SideTensor> sides, IReadOnlyList<int> kept) =>
    [
        .. kept.Index().SelectMany(k => sides.Where(s => s.Model == k.Item).Select(s => s with { Model = k.Index })),
    ];

    /// <summary>A copy of the options whose values per model are those of the kept models, in order.</summary>
    public static object Options(object options, IReadOnlyList<int> kept)
    {
        var copy = options.GetType().GetMethod("<Clone>$")!.Invoke(options, null)!;
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var type = property.PropertyType;
            if (!property.CanWrite || !type.IsGenericType || type.GetGenericTypeDefinition() != typeof(PerModel<>))
                continue;
            var values = property.GetValue(options)!;
            var item = type.GetProperty("Item")!;
            var each = Array.CreateInstance(type.GetGenericArguments()[0], kept.Count);
            for (var i = 0; i < each.Length; i++)
                each.SetValue(item.GetValue(values, [kept[i]]), i);
            property.SetValue(copy, Activator.CreateInstance(type, [each]));
        }
        return copy;
    }
}
