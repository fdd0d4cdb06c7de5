using System.Numerics;

namespace Merge.Checkpoints.PyTorch;

/// <summary>Texts of a pickle in messages: short, on one line, whatever is in them.</summary>
internal static class PickleText
{
    private const int Longest = 200;

    public static string Shown(string text)
    {
        var plain = string.Concat(text.Take(Longest).Select(c => char.IsControl(c) ? '�' : c));
        return text.Length > Longest ? plain + "…" : plain;
    }

    /// <summary>A dict's key; of one that is neither text nor integer only that it is there.</summary>
    public static string Key(object? key) => key switch
    {
        string text => text,
        long or BigInteger => $"{key}",
        _ => "…",
    };

    /// <summary>A list of keys or names, not endless.</summary>
    public static string Listed(IEnumerable<string> texts, int most = 10)
    {
        string[] shown = [.. texts.Take(most + 1).Select(t => $"'{Shown(t)}'")];
        return shown.Length > most ? $"{string.Join(", ", shown.Take(most))}, …" : string.Join(", ", shown);
    }
}
