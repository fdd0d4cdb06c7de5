using System.Globalization;
using System.Text.RegularExpressions;

namespace Merge.Search;

/// <summary>
/// A point with what follows from it: of a parameter that is searched for every model but the first
/// (<see cref="Merge.Sdk.SearchableAttribute.ExceptFirst"/>) the first one's value is 1 minus the others', in each group of layers.
/// </summary>
internal sealed partial class WholePoint
{
    private readonly List<WholeValue> _values = [];

    /// <param name="names">Of the searched values, as a space and its journal name them: <c>coefficient[3]/layers 8-15</c>.</param>
    public WholePoint(IReadOnlyList<string> names)
    {
        Match[] parts = [.. names.Select(n => Name().Match(n))];
        string Parameter(int i) => parts[i].Groups["parameter"].Value;
        string Place(int i) => parts[i].Groups["place"].Value;
        var seen = new HashSet<string>();
        foreach (var (index, name) in names.Index())
        {
            if (parts[index].Success && seen.Add(Parameter(index)))
            {
                int[] own = [.. Enumerable.Range(index, names.Count - index).Where(i => parts[i].Success && Parameter(i) == Parameter(index))];
                if (!own.Any(i => int.Parse(parts[i].Groups["model"].Value, CultureInfo.InvariantCulture) == 0))
                {
                    _values.AddRange(own.GroupBy(Place).Select(group =>
                        new WholeValue($"{Parameter(index)}[0]{group.Key}", null, [.. group]) { Model = 0 }));
                }
            }
            _values.Add(new(name, index, [])
            {
                Model = parts[index].Success ? int.Parse(parts[index].Groups["model"].Value, CultureInfo.InvariantCulture) : null,
            });
        }
    }

    /// <summary>What is searched and what follows, the latter before the others of its parameter.</summary>
    public IReadOnlyList<WholeValue> Values => _values;

    /// <summary>Only what follows.</summary>
    public IEnumerable<WholeValue> Following => _values.Where(v => v.Follows);

    [GeneratedRegex(@"^(?<parameter>[^\[]+)\[(?<model>\d{1,9})\](?<place>/.*)?$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Name();
}

/// <summary>One value of a point, or one that follows from it.</summary>
/// <param name="Name">As the space names it, or would.</param>
/// <param name="Index">Its place in the point; null where it follows.</param>
/// <param name="Others">Places of what it follows from.</param>
internal sealed record WholeValue(string Name, int? Index, IReadOnlyList<int> Others)
{
    /// <summary>The place of the model it belongs to; null: that of all.</summary>
    public int? Model { get; init; }

    public bool Follows => Index is null;

    public double Of(IReadOnlyList<double> point) => Index is { } index ? point[index] : 1 - Others.Sum(i => point[i]);
}
