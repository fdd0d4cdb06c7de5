using System.CommandLine.Parsing;
using Merge.Recipes;

namespace Merge.Commands;

/// <summary>Sizes as people type them: <c>512MB</c>, <c>1.5GiB</c>, <c>4g</c>; plain numbers are bytes.</summary>
internal static class ByteSize
{
    /// <summary>For an option's CustomParser: reports what it cannot read.</summary>
    public static long? Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (SizeText.TryParse(text, out var bytes))
            return bytes;
        argument.AddError($"'{text}' is no size; expected a number with a unit, for example 512MB or 4GB");
        return null;
    }
}
