namespace EndToEnd.Tests.Support;

/// <summary>Compares folders byte for byte.</summary>
internal static class FolderContent
{
    public static void AssertSame(string expected, string actual)
    {
        Assert.Equal(Names(expected), Names(actual));
        foreach (var name in Names(expected))
        {
            var same = File.ReadAllBytes(Path.Combine(expected, name)).AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(actual, name)));
            Assert.True(same, $"{name} differs");
        }
    }

    public static string[] Names(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];
}
