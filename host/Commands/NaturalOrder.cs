using System.Text.RegularExpressions;

namespace Merge.Commands;

/// <summary>Orders names as a person does: <c>layers.2</c> before <c>layers.10</c>.</summary>
internal static partial class NaturalOrder
{
    // CompareOptions.NumericOrdering does nothing under InvariantGlobalization.
    private const int LongestNumber = 20;

    public static IEnumerable<T> InNaturalOrder<T>(this IEnumerable<T> items, Func<T, string> name) =>
        items.OrderBy(
            item => Digits().Replace(name(item), m => m.Value.PadLeft(LongestNumber, '0')), StringComparer.Ordinal);

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Digits();
}
