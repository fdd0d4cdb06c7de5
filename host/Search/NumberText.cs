using System.Globalization;

namespace Merge.Search;

/// <summary>A number as a recipe writes it: the shortest text that reads back as the same bits.</summary>
internal static class NumberText
{
    public static string Of(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
