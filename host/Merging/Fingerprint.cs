using System.Security.Cryptography;
using System.Text;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>Tells one merge apart from every other: two with the same fingerprint write the same bytes.</summary>
internal static class Fingerprint
{
    public static string Of(MergePlan plan)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(ToolVersion.Text);
        Add(plan.Origin.Text);
        Add(plan.Plugin.Digest);
        foreach (var distinction in plan.Distinctions)
            Add(distinction);
        foreach (var (model, file) in plan.InputFiles)
        {
            Add(model);
            Add(file.Path);
            Add(file.Size.ToString());
            Add(file.LastWrite.Ticks.ToString());
        }
        foreach (var file in plan.Layout.Files)
        {
            Add(file.Name);
            hash.AppendData(file.Header);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
