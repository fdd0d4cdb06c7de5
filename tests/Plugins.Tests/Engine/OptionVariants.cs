using System.Reflection;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>Other options of the same type, drawn from a seed: every numeric parameter and every switch may differ.</summary>
internal sealed class OptionVariants(ulong seed)
{
    private uint _draws;

    public int Below(int limit) => (int)(Philox.Words((_draws++, 0, 0, 0), seed).X % (uint)limit);

    public object Of(object options, int models)
    {
        var copy = options.GetType().GetMethod("<Clone>$")!.Invoke(options, null)!;
        foreach (var property in copy.GetType().GetProperties())
        {
            if (property.GetCustomAttribute<ParameterAttribute>() is null || Below(2) == 0)
                continue;
            var range = property.GetCustomAttribute<SearchableAttribute>();
            var value = Value(property.PropertyType, range?.Low ?? 0.1, range?.High ?? 1, models);
            if (value is not null)
                property.SetValue(copy, value);
        }
        return copy;
    }

    private object? Value(Type type, double low, double high, int models)
    {
        if (type == typeof(bool))
            return Below(2) == 0;
        if (type == typeof(double))
            return Number(low, high);
        if (type != typeof(PerModel<double>))
            return null;
        return Below(3) == 0
            ? (PerModel<double>)Number(low, high)
            : new PerModel<double>([.. Enumerable.Range(0, models).Select(_ => Number(low, high))]);
    }

    // Ends of the range and zero are where methods take another way.
    private double Number(double low, double high) => Below(8) switch
    {
        0 => low,
        1 => high,
        2 when low <= 0 => 0,
        _ => low + ((high - low) * Below(17) / 16),
    };
}
