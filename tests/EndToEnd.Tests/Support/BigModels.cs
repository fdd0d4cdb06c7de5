namespace EndToEnd.Tests.Support;

/// <summary>
/// Two models that take long enough to interrupt, made once, and what they merge to when nothing disturbs it.
/// </summary>
public sealed class BigModels : IDisposable
{
    private const int Tensors = 160;
    private const int Elements = 1 << 18;

    public BigModels()
    {
        // A method that reads everything several times.
        Recipe = Scratch.Recipe("ties", "b=0.9", "base_model: a\nparameters: {density: 0.4}\n");
        try
        {
            foreach (var (seed, model) in new[] { "a", "b" }.Index())
                Write(model, seed);
            Directory.CreateDirectory(Scratch["undisturbed"]);
            Scratch.Succeeds(Arguments(Undisturbed));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal Scratch Scratch { get; } = new();

    public string Recipe { get; }

    public string Undisturbed => Scratch["undisturbed/out"];

    /// <summary>The command line. The output is to be called <c>out</c>: its model card has the name.</summary>
    public string[] Arguments(string output, string? recipe = null) =>
        ["run", recipe ?? Recipe, output, "--threads", "1"];

    public void Dispose() => Scratch.Dispose();

    private void Write(string model, int seed)
    {
        // One pattern, begun elsewhere for each tensor: no two are alike.
        var pattern = TinyTensor.Pattern("F32", "pattern", [2 * Elements], seed).Bytes;
        TinyCheckpoint.Write(Scratch[model], [.. Enumerable.Range(0, Tensors).Select(i => new TinyTensor(
            $"layers.{i}.w", "F32", [Elements], pattern[(i * 4096)..((i * 4096) + (Elements * 4))]))]);
    }
}
